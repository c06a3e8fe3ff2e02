#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# --trace writes down every packet in both directions, for its owner only, and info and release are
# as careful with a guest as a dump is.
. "${0%/*}/common.sh"

start_stub "$machine"
run 0 --trace trace -o core ":$port"
end_stub 0
left_running
[ "$(stat -c %a trace)" = 600 ] || fail "others may read the trace"
grep -q '^> qSupported:' trace || fail "no qSupported"
grep -q '^< PacketSize=1000' trace || fail "no answer to it"
[ "$(tail -n 2 trace | tr '\n' ' ')" = '> D;1 < OK ' ] || fail "D and its answer are not the end"
# As many requests as the stub saw.
[ "$(grep -c '^> m' trace)" -eq "$(grep -c '^> m' log)" ] || fail "not every request is there"

start_stub "$machine"
run 6 --trace none/trace -o core2 ":$port"
[ ! -s log ] || fail "the stub was spoken to"

run 0 info ":$port"
end_stub 0
left_running
grep -q 'QEMU' output || fail "info does not name the stub"

start_stub -e 'physical 1' "$machine"
run 0 release ":$port"
end_stub 0
left_running
