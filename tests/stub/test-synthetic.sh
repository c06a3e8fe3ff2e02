#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Synthetic memory, which benchmarks read: a core of it has the bytes that it is said to have, with
# reads of either size that QEMU's stubs take, and also of odd sizes, which go another way.
. "${0%/*}/common.sh"
need_reader

synthetic() {
	PYTHONDONTWRITEBYTECODE=1 python3 "$SRC_DIR/tests/stub/synthetic.py" "$@"
}

# dump SIZE PACKETSIZE ARGUMENT...: of the stub
dump() {
	size=$1
	settings=$(synthetic settings "$1" "$2") || fail "no settings"
	shift 2
	start_stub -e "$settings" "$@" "$machine"
	run 0 -f -o core ":$port"
	end_stub 0
	left_running
	synthetic check core "$size" || fail "the core is not what it should be"
}

dump 64M 1000
grep -q '^> m' log || fail "nothing was read the long way, not even page tables"
[ "$(grep -c '^> m' log)" -lt 100 ] || fail "too much was read the long way"
dump 64M 20020
# Half a page is what the short way takes at least.
dump 4M 400
[ "$(grep -c '^> m' log)" -gt 4000 ] || fail "small reads did not go the long way"
