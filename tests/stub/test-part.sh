#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Cores of a part of the memory: a stretch of it, and dump levels where there is no kernel.
. "${0%/*}/common.sh"
need_reader

# part STATUS ARGUMENT...: a core of the machine, and the guest runs afterwards.
part() {
	status=$1
	shift
	start_stub "$machine"
	run "$status" -f -o core "$@" ":$port"
	end_stub 0
	left_running
}

# holds START-END: this is all memory of the core.
holds() {
	only=$1
	read_core
	only=''
}

# ---- --begin and --length ------------------------------------------------------------------------

# Within a page; from one range into the next; from in front of all to behind it.
part 0 --begin 0x2345 --length 0x678
holds 2345-29bd
part 0 --begin 0x9f123 --length 0x61001
holds 9f123-100124
part 0 --begin 0x3ff000 --length 16G
holds 3ff000-400000
part 0 --begin 0 --length 0xffffffffffffffff
read_core
# Nothing else is asked for: the stub is not seen to be read behind it.
part 0 --begin 0x200000 --length 4096 --vmcoreinfo none
holds 200000-201000
[ "$(grep -c '^> m2[0-9a-f]\{5\},' log)" -gt 0 ] || fail "the stretch was not read"
! grep -q '^> m201[0-9a-f]\{3\},' log || fail "more was read than was asked for"

# Down a pipe.
start_stub "$machine"
timeout 60 "$RSPDUMP" -q --begin 0x9f123 --length 0x61001 -o - ":$port" 2>errors | cat >core
end_stub 0
holds 9f123-100124

case $("$RSPDUMP" --version) in
*kdump-zlib*)
	# Pages are whole.
	part 0 -F kdump-zlib --begin 0x2345 --length 0xd00
	holds 2000-4000
	run 0 info --json core
	grep -q '"pages": *2,' output || fail "info: not 2 pages"
	;;
esac

# No memory there: between the two, and behind all.
for where in 0xa0000 0x400000 0xfffffffffffffff0; do
	rm -f core
	part 5 --begin "$where" --length 0x10
	says "--begin $where --length 0x10: the guest has no memory there, but from 0x0 to 0x3fffff"
	no_core
done
run 2 --begin 0 ":1"
says '--begin and --length need each other'
run 2 --length 1 ":1"
says '--begin and --length need each other'
run 2 --begin 0 --length 0 ":1"

# ---- --dump-level --------------------------------------------------------------------------------

# Zeros need no kernel.
part 0 --json -d 1
read_core
grep -q '"dump_level": 1,' output || fail "--json does not tell the level"
case $("$RSPDUMP" --version) in
*kdump-zlib*)
	part 0 -F kdump-zlib -d 1
	read_core
	run 0 info core
	grep -q '928 of them in the core: dump level 1$' output || fail "info: no dump level"
	;;
esac
rm core

# All else does.
for level in 2 31; do
	part 5 -d "$level"
	says "--dump-level $level: "
	says '(use -d 0 or 1)'
	no_core
done

# ---- what would be -------------------------------------------------------------------------------

part 0 -n --begin 0x100000 --length 1M
grep -q '^a core  *ELF core, .* at most, 1.* MiB to read, in about ' output || fail "no forecast"
no_core
part 0 -n --json --begin 0x100000 --length 1M
grep -q '"bytes_to_read": 1048576,' output || fail "no forecast in --json"
no_core
