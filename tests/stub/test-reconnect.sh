#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The connection breaks in the middle of a dump, and there is another stub at the same address: the
# dump goes on if it has the same guest, and only then.
. "${0%/*}/common.sh"

# A stub behind a socket, for one connection that breaks at the nth answer; then others, each with
# settings of its own.
socket=$work/socket

# broken NTH [SETTING...]
broken() {
	nth=$1
	shift
	rm -f "$socket"
	start_stub_at "$socket" -e "close $nth" "$@" "$machine"
}

# followed_by [SETTING...]: once that one is over.
followed_by() {
	wait_for 20 grep -q '^= over' log || fail "the connection does not break"
	wait "$stub_pid"
	mv log first-log
	rm -f "$socket"
	start_stub_at "$socket" "$@" stopped.machine
}

dump() {
	rm -f core core.partial
	timeout 60 "$RSPDUMP" --lane rsp --retry 20 -o core "unix:$socket" </dev/null >output 2>errors &
	dump_pid=$!
}

# ended STATUS
ended() {
	wait "$dump_pid"
	status=$?
	[ "$status" -eq "$1" ] || fail "exit status $status, not $1"
	end_stub 0
}

need_reader
# QEMU says so only if the guest ran: it does not run any more.
sed '/^unsolicited/d' "$machine" >stopped.machine
# While the guest is learned about, and in its memory; how many answers there are depends on both.
for nth in 4 9 30 200 1000; do
	broken "$nth"
	dump
	followed_by
	ended 0
	grep -q 'connecting again' errors || fail "at $nth: it does not say that it connects again"
	read_core
	left_running
done

# Another guest, or one that ran: by registers, by memory, by the stub's own word.
different() {
	text=$1
	shift
	broken 1000
	dump
	followed_by "$@"
	ended 4
	says "connected again, but it is another guest, or it has run meanwhile: $text"
	says 'core.partial has '
	[ ! -e core ] || fail "there is a core"
	left_running
}
different 'its registers differ' -e 'registers 1 fe*8'
different 'its memory differs' -e 'memory 0 2000 zero'
different 'the stub says that it ran' -e 'unsolicited T05thread:p01.01;'

# Nobody comes: what was read is kept, and told of, in whatever format.
rm core.partial
for format in elf kdump-zlib; do
	broken 1000
	run 4 --lane rsp --retry 1 -F "$format" -o core "unix:$socket"
	says 'core.partial has '
	says "the guest may stand still now (\"rspdump release unix:$socket\" lets it run)"
	[ ! -e core ] || fail "there is a core"
	"$RSPDUMP" info core.partial >output || fail "core.partial is no core"
	grep -q "^core *$format" output || fail "core.partial is no $format"
	rm core.partial
done

# There is no file to keep.
broken 1000
run 4 --lane rsp --retry 0 -o - "unix:$socket"
! grep -q 'zeros for the rest' errors || fail "it tells of a file that there is not"
no_core

# Interrupted while it waits for another connection
broken 1000
dump
wait_for 20 grep -q 'connecting again' errors || fail "it does not connect again"
kill -s TERM "$(ps -o pid= --ppid "$dump_pid")"
wait "$dump_pid"
status=$?
[ "$status" -eq 143 ] || fail "exit status $status, not 143"
no_core
