#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The stubs that are known, each as it is documented to behave, where the real one does not run here.
# Those of x86-64 read virtual addresses only: of a kernel of 2 MiB with its page tables, and of its
# direct map. A stub that is careful ends with another status if it is hurried.
. "${0%/*}/common.sh"

need_reader

# See tests/unit/test_direct_map.c.
python3 -B - <<'END' || fail 'no memory is made'
import struct

IMAGE, ROOT, TEXT_PUD, TEXT_PMD, MAP_PUD, MAP_PMD = (
    0x200000, 0x3FE000, 0x3FD000, 0x3FC000, 0x600000, 0x601000)
TABLE, LARGE = 3, 0x83
TEXT, BASE = 0xFFFFFFFF84000000, 0xFFFF888140000000
ram = bytearray(0x800000)

def entry(table, index, value):
    struct.pack_into("<Q", ram, table + 8 * (index % 512), value)

ram[IMAGE : IMAGE + 0x100000] = b"\x90" * 0x100000
entry(ROOT, 511, TEXT_PUD | TABLE)
entry(TEXT_PUD, 510, TEXT_PMD | TABLE)
entry(TEXT_PMD, TEXT >> 21, IMAGE | LARGE)
entry(ROOT, BASE >> 39, MAP_PUD | TABLE)
entry(MAP_PUD, BASE >> 30, MAP_PMD | TABLE)
for n in range(len(ram) >> 21):
    entry(MAP_PMD, n, n << 21 | LARGE)
open("ram", "wb").write(ram)
open("image", "wb").write(ram[IMAGE : IMAGE + 0x200000])
registers = [0x1111] * 16 + [TEXT + 0x123]
values = struct.pack("<17Q7I", *registers, 0x246, 0x10, 0x18, 0, 0, 0, 0)
open("kernel.machine", "w").write(
    "memory ffffffff84000000 200000 @image\nmemory ffff888140000000 800000 @ram\n"
    "error E79\nphysical -1\n"
    + "".join(f"registers {n} {values.hex()}\n" for n in (1, 2)))
END

begin=0x3fc000 length=0x2000
# Whether the core has this stretch of RAM at its physical address, and so many vCPUs.
right_core() {
	python3 -B - "$1" $begin $length <<'END' || fail 'core is not what it should be'
import struct, sys

cpus, begin, length = int(sys.argv[1]), int(sys.argv[2], 16), int(sys.argv[3], 16)
core, ram = open("core", "rb").read(), open("ram", "rb").read()
headers = [struct.unpack_from("<IIQQQQQQ", core, 64 + 56 * n)
           for n in range(struct.unpack_from("<H", core, 56)[0])]
loads = [h for h in headers if h[0] == 1 and h[4] == begin and h[5] == length]
assert loads, headers
at = loads[0][2]
assert core[at : at + length] == ram[begin : begin + length]
assert core.count(b"CORE\0") == cpus
END
	rm core
}

# through NAME CPUS LAST SETTING... -- ARGUMENT...: a core of the kernel above through such a stub.
# LAST is the last packet that is said.
through() {
	name=$1 cpus=$2 last=$3
	shift 3
	echo "# $name" >&2
	cp kernel.machine a.machine
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		echo "$1" >>a.machine
		shift
	done
	[ $# -eq 0 ] || shift
	start_stub_at "$where" a.machine
	run 0 dump --json --begin $begin --length $length "$@" -o core "$(cat where)"
	end_stub 0
	grep -qF "\"name\": \"$name\"" output || fail "it is not taken for $name"
	[ "$(grep '^> ' log | tail -n 1)" = "> $last" ] || fail "$last is not the last word"
	right_core "$cpus"
}

# refused TEXT SETTING... -- ARGUMENT...
refused() {
	text=$1
	shift
	cp kernel.machine a.machine
	while [ "$1" != -- ]; do
		echo "$1" >>a.machine
		shift
	done
	shift
	start_stub_at "$where" a.machine
	run 5 dump "$@" -o core "$(cat where)"
	end_stub 0
	says "$text"
	no_core
}

description='object features:target.xml <target><architecture>i386:x86-64</architecture></target>'
crate='supported PacketSize=1000;vContSupported+;multiprocess+;QStartNoAckMode+'
firecracker='answer qThreadExtraInfo,p1.1 566370752049443a2030'

# The crate encodes runs, answers E79 behind what it could read, and lists all threads at once.
where=127.0.0.1:0
through 'crosvm' 1 'D;1' "$crate;hwbreak+;qXfer:features:read+" "$description" \
	'thread p01.01' run-lengths-of-8 error-tail one-byte
refused '--after stop: crosvm lets its guest run' \
	"$crate;hwbreak+;qXfer:features:read+" 'thread p01.01' -- --after stop
through 'Firecracker' 2 'D;1' "$crate;swbreak+;hwbreak+;qXfer:features:read+" "$description" \
	"$firecracker" 'threads-per-packet 0' 'thread p01.01' 'thread p01.02' run-lengths error-tail \
	-- --force
refused 'Firecracker ends its VM when a debugger goes' \
	"$crate;swbreak+;hwbreak+;qXfer:features:read+" "$firecracker" 'thread p01.01' --
where=./socket
through 'Cloud Hypervisor' 2 'D;1' "$crate;hwbreak+;qXfer:features:read+" "$description" \
	'threads-per-packet 0' 'thread p01.01' 'thread p01.02' run-lengths error-tail
rm -f socket
where=127.0.0.1:0

through 'bhyve' 2 D 'supported PacketSize=4096;swbreak+' 'threads-per-packet 0' 'thread 1' \
	'thread 2' careful partial 'error E0e' -- --arch x86_64
refused '--after stop: bhyve lets its guest run' 'supported PacketSize=4096;swbreak+' careful \
	'thread 1' -- --after stop --arch x86_64
through 'VirtualBox' 1 D 'supported qXfer:features:read+;vContSupported+' "$description" \
	'thread 1' upper-case trailing-nul 'limit 4096'
# Those that say nothing of themselves wait for the sign of this answer, too.
through 'gdbsx' 2 + 'answer qfThreadInfo m0,1l' 'thread 0' 'thread 1' careful 'limit 2047' \
	'error E01' -- --arch x86_64
through 'kgdb' 2 + 'threads-per-packet 0' 'thread fffffffe' 'thread fffffffd' 'thread 01' \
	careful 'limit 511' 'error E22' -- --arch x86_64
through 'Bochs' 1 + 'answer qC 1' 'answer Hg0 OK' careful 'limit 255' -- --arch x86_64

# What has physical addresses, or a command for them.
printf '%s\n' 'memory 0 800000 @ram' 'physical -1' "$(grep ^registers kernel.machine)" >flat.machine
mv flat.machine kernel.machine
through 'VMware' 1 D 'supported PacketSize=1000;qXfer:features:read+' "$description" careful \
	'thread 1' 'monitor help = Supported monitor commands: help r phys virt' 'monitor phys = ' \
	'monitor virt = ' -- --ram 0+8M
[ "$(grep -c '^= phys$' log)" -eq 1 ] || fail 'reads are not switched'
[ "$(grep '^= ' log | grep -vE 'over|window' | tail -n 1)" = '= virt' ] || fail 'reads are not switched back'
through 'Renode' 1 D \
	'supported PacketSize=1024;qXfer:features:read+;swbreak+;hwbreak+;t32extensions+' \
	"$description" 'thread 1' 'error E0e' -- --ram 0+8M
map='object memory-map: <memory-map><memory type="ram" start="0" length="0x800000"/></memory-map>'
through 'Black Magic Probe' 1 D \
	'supported PacketSize=400;qXfer:memory-map:read+;qXfer:features:read+' "$description" \
	"$map" 'thread 1' careful 'limit 512' 'limit-error E02'
grep -q '^> qXfer:memory-map:read::0,' log || fail 'its memory map is not asked for'
through 'rr' 1 D 'supported PacketSize=100000;QStartNoAckMode+;ReverseContinue+' 'thread 1' \
	partial -- --ram 0+8M --arch x86_64
