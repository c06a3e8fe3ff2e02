#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Signals while there is nothing to do but wait: for a connection, for a stub's answer, for the reader
# of a pipe, for a store. The first one ends it in good order, a second one at once.
. "${0%/*}/common.sh"

env --default-signal=INT true 2>/dev/null || skip 'no env --default-signal'
need_reader
command -v ps >/dev/null || skip 'no ps'
dump_pid=''
server_pid=''

end_all() {
	for process in $dump_pid $server_pid; do
		kill -KILL "$process" 2>/dev/null
	done
	clean_up
}
trap end_all EXIT

# begin ARGUMENT...: the program in the background; $dump_pid is its process.
begin() {
	# A shell has programs in the background ignore interrupts; env has them not.
	env --default-signal=INT,TERM,HUP "$RSPDUMP" "$@" </dev/null >output 2>errors &
	dump_pid=$!
}

# ends STATUS SECONDS
ends() {
	wait_for "$2" has_ended || fail "it goes on for more than $2 seconds"
	wait "$dump_pid"
	status=$?
	dump_pid=''
	[ "$status" -eq "$1" ] || fail "exit status $status, not $1"
}

has_ended() {
	! kill -0 "$dump_pid" 2>/dev/null || ps -o stat= -p "$dump_pid" | grep -q '^Z'
}

spoken_to() {
	grep -q "^> $1" log
}

# ---- nobody answers ----

# Nobody listens, and it was told to try for long.
start_stub "$machine"
kill "$stub_pid"
wait "$stub_pid" 2>/dev/null
stub_pid=''
for signal in INT:130 TERM:143 HUP:129; do
	begin --retry 60 -o core ":$port"
	sleep 0.3
	kill -s "${signal%:*}" "$dump_pid"
	ends "${signal#*:}" 5
	no_core
done

# Somebody does, and says nothing: a stub that may yet answer is waited for as long as was told.
start_stub -e 'silent 1' "$machine"
begin --connect-timeout 2 --timeout 2 -o core ":$port"
wait_for 20 grep -q '^= silent' log || fail "it says nothing"
kill -s HUP "$dump_pid"
ends 129 5
no_core
end_stub 0

# ---- a stub that falls silent ----

# Its answers are waited for, for as long as it was told to; with the second signal no longer.
start_stub -e 'silent 300' "$machine"
begin --timeout 60 -o core ":$port"
wait_for 20 grep -q '^= silent' log || fail "the stub does not fall silent"
sleep 0.5
kill -s INT "$dump_pid"
sleep 0.5
! has_ended || fail "the answers that are due are not waited for"
kill -s TERM "$dump_pid"
ends 143 2
end_stub 0
! grep -q '^> D' log || fail "it says D, and went at once"
[ -e core.partial ] || fail "who goes at once has no time to remove a file"
# What was left is told of by the next one.
start_stub "$machine"
run 8 -o core ":$port"
says 'core.partial exists: another dump is writing it, or was killed (--force replaces it)'
run 0 --force -o core ":$port"
end_stub 0
rm core

# ---- a pipe that nobody reads ----

mkfifo pipe
for signal in INT:130 TERM:143 HUP:129; do
	start_stub "$machine"
	exec 8<>pipe
	begin -o fd:9 ":$port" 9>pipe
	wait_for 20 spoken_to 'm[1-9a-f]*0000,800' || fail "no memory is read"
	sleep 0.5
	kill -s "${signal%:*}" "$dump_pid"
	ends "${signal#*:}" 5
	exec 8>&-
	end_stub 0
	left_running
done

# ---- a store that does not answer ----

"$RSPDUMP" --version | grep -q '^Uploads:.* put' || exit 0

# A server that takes all and says nothing; but for HEAD, of which it has nothing.
cat >server.py <<'END'
import socket
import sys
import threading


def serve(connection):
    while data := connection.recv(65536):
        if data.startswith(b"HEAD"):
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        else:
            print(data.split(b" ")[0].decode(), flush=True)


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
END
python3 server.py >server-log &
server_pid=$!
wait_for 10 test -s server-log || fail "the server does not start"
server=$(head -n 1 server-log)

for signal in INT:130 TERM:143 HUP:129; do
	start_stub "$machine"
	begin -o core --upload "http://127.0.0.1:$server/core" ":$port"
	wait_for 20 grep -q '^= over' log || fail "the guest is not let go"
	sleep 0.3
	kill -s "${signal%:*}" "$dump_pid"
	ends "${signal#*:}" 5
	end_stub 0
	left_running
	[ -s core ] || fail "the core, which was whole, is gone"
	[ ! -e core.partial ] || fail "core.partial is left"
	rm -f core core.upload
done
