#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A whole dump: the core's bytes, and how the stub is left. Then the same from stubs that do things
# their own way, but not wrong.
. "${0%/*}/common.sh"
need_reader

dump() {
	start_stub "$@" "$machine"
	run 0 -f -o core ":$port"
	end_stub 0
	left_running
	[ "$(stat -c %a core)" = 600 ] || fail "others may read the core"
	[ ! -e core.partial ] || fail "core.partial is still there"
	read_core
}

dump
grep -q '^rspdump: .*: core: 3.6 MiB of memory, 4.0 KiB of it zero' errors ||
	fail "it does not tell what it did"
grep -q '^= window 1$' log && fail "QEMU got one request at a time"

no_ack='supported PacketSize=20020;qXfer:features:read+;multiprocess+;QStartNoAckMode+'
dump -e run-lengths
dump -e run-lengths-of-8 -e 'limit 200000' -e "$no_ack"
dump -e 'limit 200000' -e "$no_ack;binary-upload+"
dump -e upper-case -e trailing-nul
dump -e 'shorten 300'
dump -e 'notification Stop:T05thread:01;' -e 'console one moment' -e 'junk login: '
dump -e 'unasked T05thread:01;'
dump -e 'threads-per-packet 0' -e 'monitor-style whole'
dump -e partial -e 'physical 0'

# A guest that has not left its firmware has the core of a 32-bit CPU.
start_stub -e 'registers 1 00*608' -e 'registers 2 00*608' "$machine"
run 0 -f -o core ":$port"
end_stub 0
run 0 info --json core
grep -q '"arch": *"i386"' output || fail "it is not the core of an i386"
grep -q '"bits": *32' output || fail "the core is not of the 32-bit class"
grep -q '"cpus": *2' output || fail "not all vCPUs are in it"
