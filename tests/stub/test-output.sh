#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is wrong with the output is known before the guest is stopped.
. "${0%/*}/common.sh"
need_reader

refused() {
	[ ! -s log ] || fail "the stub was spoken to"
}

start_stub "$machine"
echo precious >core
run 8 -o core ":$port"
says 'core'
refused
[ "$(cat core)" = precious ] || fail "it was overwritten"
run 6 -o none/core ":$port"
says 'No such file or directory'
refused
run 2 -o core2 -F nonsense ":$port"
refused
run 2 -o core2 'host:port'
refused
run 0 -f -o core ":$port"
end_stub 0
read_core

# To a pipe, with nothing else on it.
start_stub "$machine"
timeout 60 "$RSPDUMP" -q -o - ":$port" 2>errors | cat >core
end_stub 0
read_core
[ ! -s errors ] || grep -q warning errors || fail "it was not quiet"

if [ -w /dev/full ]; then
	start_stub "$machine"
	timeout 60 "$RSPDUMP" -o - ":$port" >/dev/full 2>errors
	[ $? -eq 6 ] || fail "no space left, and another exit status than 6"
	end_stub 0
	left_running
	says 'No space left on device'
fi
