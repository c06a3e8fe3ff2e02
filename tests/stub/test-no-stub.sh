#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What answers is no stub, or nothing does: exit status 4 and one line.
. "${0%/*}/common.sh"

# no_stub TEXT SETTING...
no_stub() {
	text=$1
	shift
	start_stub "$@"
	run 4 --connect-timeout 1 -o core ":$port"
	kill "$stub_pid" 2>/dev/null
	wait "$stub_pid"
	stub_pid=''
	says "$text"
	no_core
}

no_stub 'no gdb stub: it sent "HTTP/1.1 400 Bad Request"' \
	-e 'banner HTTP/1.1 400 Bad Request' -e 'silent 1'
no_stub 'no gdb stub: it sent "SSH-2.0-OpenSSH_9.2p1"' -e 'banner SSH-2.0-OpenSSH_9.2p1' -e 'silent 1'
no_stub 'no gdb stub: it repeats what it hears' -e echo
no_stub 'nobody answers' -e 'silent 1'
no_stub 'closed before anything was said' -e 'close 0'
no_stub 'only damaged packets come' -e 'bad-checksums 1'

# Nobody is there at all.
start_stub -e 'close 0'
kill "$stub_pid"
wait "$stub_pid"
stub_pid=''
run 4 -o core ":$port"
says 'Connection refused'
run 4 -o core "unix:$work/none"
says 'No such file or directory'
run 4 -o core '|exit 1'
says 'closed before anything was said'
no_core
