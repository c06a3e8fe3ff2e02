#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packets, descriptions and maps that are damaged, or made to do damage: exit status 5 (4 where the
# stub falls silent), one line, in bounded time and memory, and the guest runs again where the stub
# still listens.
# timeout: 600
. "${0%/*}/common.sh"
need_reader

# Room for ThreadSanitizer, which takes six times as much. What grows without bound is beyond that in
# seconds.
PEAK_MAX_KIB=1572864
cat >measured <<END
#!/usr/bin/env python3
import resource, subprocess, sys
done = subprocess.run(["$RSPDUMP", *sys.argv[1:]], timeout=50)
open("peak", "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(done.returncode if done.returncode >= 0 else 200)
END
chmod +x measured
RSPDUMP=./measured

# ended STATUS TEXT SETTING...: so, and no core
ended() {
	wanted_status=$1
	text=$2
	shift 2
	start_stub "$@" "$machine"
	run "$wanted_status" --timeout 2 --retry 0 -o core ":$port"
	[ "$(cat peak)" -le $PEAK_MAX_KIB ] || fail "it took $(cat peak) KiB of memory"
	says "$text"
	# What was read of a stub that is out of reach is kept, and told.
	! grep -q 'core.partial has' errors || rm core.partial
	no_core
}

# hostile TEXT SETTING...: exit status 5, and the guest is let go
hostile() {
	ended 5 "$@"
	end_stub 0
	left_running
}

# hopeless TEXT SETTING...: exit status 5; nothing can be said to the stub any more
hopeless() {
	ended 5 "$@"
	end_stub 0
}

# ---- packets ---------------------------------------------------------------------------------

# The same answer twice. Up to the monitor's output, which comes line by line, it may do no harm; then
# the core is right.
for nth in 200 300 1000 1600; do
	hostile 'an answer to nothing came' -e "duplicate $nth"
done
for nth in 1 2 3 4 5 6 7 8 9 10 11 12 14 16 20 30 40 60 100; do
	start_stub -e "duplicate $nth" "$machine"
	timeout 30 "$RSPDUMP" --timeout 2 --retry 0 -o core ":$port" 2>errors
	status=$?
	end_stub 0
	left_running
	case $status in
	0) read_core ;;
	5) no_core ;;
	*) fail "the answer $nth twice: exit status $status" ;;
	esac
	rm -f core
done

# Behind each answer, so that nothing that is said is understood
hopeless 'rspdump: ' -e 'unasked 00'
hopeless 'rspdump: ' -e 'unasked OK'
hostile 'more memory came than was asked for' -e too-long
hostile 'the stub got a damaged packet' -e 'nack 300'
hostile 'wrong checksum' -e 'bad-checksum 300'
for nth in 2 6 20 300; do
	hopeless 'a packet of more than 1048576 bytes' -e "endless $nth"
	hopeless 'talks without end' -e "flood $nth"
	hopeless 'without end' -e "chatter $nth"
done
ended 4 'silent for 2 seconds' -e 'silent 300'
end_stub 0

# What belongs to the protocol, in between, does no harm.
for between in 'notification Stop:T05thread:p01.01;' 'console hello' 'unasked T05thread:p01.01;'; do
	start_stub -e "$between" "$machine"
	run 0 -o core ":$port"
	end_stub 0
	left_running
	read_core
	rm core
done

# ---- descriptions ----------------------------------------------------------------------------

# make NAME: a setting with what a Python expression is, in the file of that name
make() {
	python3 -c "import sys; sys.stdout.write($2)" >"$1" || fail "no $1"
}
large='supported PacketSize=20000;qXfer:features:read+;vContSupported+;multiprocess+'
object='object features:target.xml'

make laughs "'<!DOCTYPE t [<!ENTITY a0 \"ha\">' + ''.join(f'<!ENTITY a{n+1} \"' + f'&a{n};' * 10 + '\">'
	for n in range(30)) + ']><target>&a30;</target>'"
hostile 'XML entities' -e "$large" -e "$object @laughs"
make external "'<!DOCTYPE t [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><target>&a;</target>'"
hostile 'XML entities' -e "$large" -e "$object @external"
make parameters "'<!DOCTYPE t [<!ENTITY % a \"b\"> %a;]><target/>'"
hostile 'XML entities' -e "$large" -e "$object @parameters"
# Levels without end, an attribute and a name of megabytes
make nested "'<t>' * 1000000"
hostile 'target.xml, line 1: ' -e "$large" -e "$object @nested"
make attribute "'<target><feature name=\"' + 'a' * 4000000 + '\"/></target>'"
hostile 'does not tell what its CPU is' -e "$large" -e "$object @attribute"
make name "'<' + 'a' * 4000000 + '/>'"
hostile 'does not tell what its CPU is' -e "$large" -e "$object @name"
make architecture "'<target><architecture>' + 'x' * 4000000 + '</architecture></target>'"
hostile 'xxxxxxxx' -e "$large" -e "$object @architecture"
make too-large "'<target>' + ' ' * (4 << 20) + '</target>'"
hostile 'an object of more than 4194304 bytes' -e "$large" -e "$object @too-large"
# Many annexes of little less than may be had at once
make annex "'<t>' + ' ' * 3000000 + '</t>'"
make annexes "'<target>' + ''.join(f'<xi:include href=\"annex\"/>' for n in range(40)) + '</target>'"
hostile 'a target description of more than 4194304 bytes' -e "$large" -e "$object @annexes" \
	-e 'object features:annex @annex'
hostile 'includes too much' -e "$object <target><xi:include href=\"a\"/></target>" \
	-e 'object features:a <t><xi:include href="b"/></t>' \
	-e 'object features:b <t><xi:include href="a"/></t>'
make registers "'<target>' + '<reg name=\"r\" bitsize=\"64\"/>' * 5000 + '</target>'"
hostile 'or too many' -e "$large" -e "$object @registers"
for size in 0 -8 524289 18446744073709551617 x; do
	hostile 'a register without sense' \
		-e "$object <target><reg name=\"r\" bitsize=\"$size\"/></target>"
done

# ---- threads ---------------------------------------------------------------------------------

make threads "'answer qfThreadInfo m' + ','.join(f'p1.{n+1:x}' for n in range(5000))"
hostile 'more than 4096 threads' -e "$large" -e "$(cat threads)"
for list in 'm1,,2' 'mp1' 'm-1' 'mx' 'm1;2' 'M1' 'mp.1'; do
	hostile 'listing vCPUs: ' -e "answer qfThreadInfo $list"
done
hostile 'the stub lists no threads' -e 'answer qfThreadInfo l' -e 'answer qsThreadInfo mp1.1'

# ---- maps ------------------------------------------------------------------------------------

mapped='supported PacketSize=20000;qXfer:features:read+;qXfer:memory-map:read+;multiprocess+'
# map TEXT AREAS
map() {
	hostile "$1" -e "$mapped" -e "object memory-map: <memory-map>$2</memory-map>"
}
area() {
	printf '<memory type="%s" start="%s" length="%s"/>' "$1" "$2" "$3"
}
map 'overlaps one before it' "$(area ram 0 0x2000)$(area ram 0x1000 0x2000)"
map 'overlaps one before it' "$(area ram 0x1000 0x1000)$(area rom 0 0x10000)"
map 'ends nowhere' "$(area ram 0xfffffffffffff000 0x2000)"
map 'ends nowhere' "$(area ram 0x1000 0xffffffffffffffff)"
map 'an empty area' "$(area ram 0x1000 0)"
map 'wants a type, a start and a length' "$(area ram -1 1)"
map 'wants a type, a start and a length' "$(area ram 0 0x10000000000000000)"
map 'of type "device"' "$(area device 0 0x1000)"
map 'no RAM in' "$(area rom 0 0x1000)"
map 'RAM wherever there is no flash' "$(area ram 0 0xffffffffffffffff)"
make areas "'<memory-map>' + ''.join(f'<memory type=\"ram\" start=\"{n << 13:#x}\" length=\"0x1000\"/>'
	for n in range(70000)) + '</memory-map>'"
hostile 'one too many' -e "$mapped" -e 'object memory-map: @areas'
make map-laughs "open('laughs').read()"
hostile 'XML entities' -e "$mapped" -e 'object memory-map: @map-laughs'

# As QEMU prints them; the first view that is asked for is the one of "memory".
# view TEXT LINE...
view() {
	text=$1
	shift
	{
		printf '%s\n' 'FlatView #0' ' AS "memory", root: system' ' Root memory region: system'
		printf '  %s\n' "$@"
		echo
	} >mtree
	hostile "$text" -e 'monitor info mtree -f = @mtree'
}
view 'no RAM map' '0000000000002000-0000000000000fff (prio 0, ram): pc.ram'
view 'no RAM map' '0000000000000000-00000000000000000fff (prio 0, ram): pc.ram'
view 'no RAM map' 'fffffffffffff000-10000000000000fff (prio 0, ram): pc.ram'
