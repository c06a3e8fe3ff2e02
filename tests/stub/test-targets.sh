#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# All that a target can be.
. "${0%/*}/common.sh"

dumped() {
	end_stub 0
	left_running
}

for form in '%s' ':%s' 'localhost:%s' '127.0.0.1:%s' 'tcp:127.0.0.1:%s' 'tcp::%s' 'tcp4:localhost:%s' \
	'connect://127.0.0.1:%s'; do
	start_stub "$machine"
	# shellcheck disable=SC2059 # a format it is
	run 0 -f -o core "$(printf "$form" "$port")"
	dumped
done

if [ -e /proc/net/if_inet6 ] && grep -q '^0*1 ' /proc/net/if_inet6; then
	for form in '[::1]:%s' 'tcp6:[::1]:%s' 'tcp:[::1]:%s'; do
		start_stub_at '[::1]:0' "$machine"
		port=$(cat where)
		# shellcheck disable=SC2059
		run 0 -f -o core "$(printf "$form" "$port")"
		dumped
	done
fi

for form in unix: unix:: ''; do
	rm -f socket
	start_stub_at "$work/socket" "$machine"
	run 0 -f -o core "$form$work/socket"
	dumped
done

# A command that is the stub.
run 0 -f -o core "|'$STUB' -o log '$machine'"
left_running

# A descriptor that is a socket, as a supervisor hands it over.
if command -v python3 >/dev/null; then
	start_stub "$machine"
	python3 -c '
import os, socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
os.dup2(connection.fileno(), 9)
os.execv(sys.argv[2], [sys.argv[2], "-f", "-o", "core", "fd:9"])
' "$port" "$RSPDUMP" 2>errors || fail "fd:9 does not work"
	dumped
fi

if command -v socat >/dev/null; then
	start_stub "$machine"
	run 0 -f -o core "|socat - TCP:127.0.0.1:$port"
	dumped
	# A serial line, as good as one.
	start_stub "$machine"
	socat "PTY,link=$work/tty,raw,echo=0" "TCP:127.0.0.1:$port" &
	socat_pid=$!
	wait_for 10 test -e tty || fail "no pty"
	run 0 -f -o core "$work/tty"
	# Nobody tells the stub that a serial line was left.
	wait_for 10 grep -q '^> D;1' log || fail "D was not said"
	kill "$socat_pid"
	wait "$socat_pid"
	dumped
fi
