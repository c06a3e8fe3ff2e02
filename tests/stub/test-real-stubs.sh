#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stubs that others wrote, and that run here without a guest: OpenOCD without hardware, gdbserver
# and valgrind with a process. What a core has of memory is what the process has.
. "${0%/*}/common.sh"

need_reader
for program in openocd gdbserver valgrind vgdb setpriv; do
	command -v $program >/dev/null || skip "no $program"
done
# What must not outlive this script, whatever ends it: setpriv sees to that.
others=''

end_others() {
	for pid in $others; do
		# valgrind waits for a debugger whatever signal it gets but this one.
		kill -s KILL "$pid" 2>/dev/null
	done
	clean_up
}
trap end_others EXIT

# free_port: one that nobody listens at now.
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# stack_of PID: where its stack begins, in hexadecimal.
stack_of() {
	sed -n 's/-.*\[stack\]$//p' "/proc/$1/maps"
}

# same_memory PID START SIZE: the core's only PT_LOAD and the process's memory.
same_memory() {
	python3 -B - "$@" <<'END' || fail 'the core has other memory than the process'
import struct, sys

pid, start, size = sys.argv[1], int(sys.argv[2], 16), int(sys.argv[3], 16)
core = open("core", "rb").read()
count = struct.unpack_from("<H", core, 56)[0]
headers = [struct.unpack_from("<IIQQQQQQ", core, 64 + 56 * n) for n in range(count)]
(load,) = [h for h in headers if h[0] == 1]
with open(f"/proc/{pid}/mem", "rb") as memory:
    memory.seek(start)
    theirs = memory.read(size)
assert (load[4], load[5]) == (start, size), load
assert core[load[2] : load[2] + size] == theirs
assert theirs.strip(b"\0")
END
}

is_stub() {
	grep -qF "\"name\": \"$1\"" output || fail "it is not taken for $1"
}

# ---- OpenOCD: a memory map that has RAM wherever there is no flash ---------------------------------

port=$(free_port)
cat >openocd.cfg <<END
adapter driver dummy
transport select jtag
adapter speed 1000
tcl_port disabled
telnet_port disabled
gdb_port $port
jtag newtap t cpu -irlen 4 -ignore-bypass
target create t.cpu arm7tdmi -chain-position t.cpu
flash bank f0 faux 0x08000000 0x40000 4 4 t.cpu x
END
setpriv --pdeathsig KILL openocd -f openocd.cfg >openocd.log 2>&1 &
others="$others $!"
run 5 dump --retry 20 -o core ":$port"
says 'RAM wherever there is no flash, in a space of 4 GiB'
no_core
run 0 dump --json --ram 0x20000000+64K -o core ":$port"
is_stub OpenOCD
readelf -lW core | grep -q 'LOAD .* 0x20000000 0x20000000 0x10000 ' || fail 'no PT_LOAD of the RAM'
readelf -hW core | grep -q 'Machine: *ARM' || fail 'not of an ARM'
# The registers of this target are all ones.
[ "$(readelf -nW core | grep -c NT_PRSTATUS)" -eq 1 ] || fail 'not one vCPU'
rm core

# ---- gdbserver: run lengths, no acknowledgements ---------------------------------------------------

port=$(free_port)
sleep 60 &
process=$!
others="$others $process"
setpriv --pdeathsig KILL gdbserver --attach "127.0.0.1:$port" $process >gdbserver.log 2>&1 &
others="$others $!"
stack=$(stack_of $process)
run 0 dump --retry 20 --json --ram "0x$stack+128K" -o core ":$port"
is_stub gdbserver
same_memory $process "$stack" 20000
kill -0 $process || fail 'the process has ended'
rm core

# ---- valgrind: a process of which it has the registers ---------------------------------------------

valgrind -q --vgdb=full --vgdb-error=0 --vgdb-prefix="$work/vg" sleep 60 >valgrind.log 2>&1 &
process=$!
others="$others $process"
wait_for 20 grep -q 'target remote' valgrind.log || fail 'valgrind does not wait for a debugger'
start=$(sed -n 's/-.* r-xp .*\/sleep$//p' "/proc/$process/maps" | head -n 1)
run 0 dump --json --ram "0x$start+4K" -o core "|vgdb --vgdb-prefix=$work/vg"
is_stub valgrind
same_memory $process "$start" 1000
