#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Interrupted in the middle of a dump of a slow stub: the exit status tells the signal, the guest runs
# again, and nothing is left of the core.
. "${0%/*}/common.sh"

# interrupted SIGNAL STATUS PACKET SETTING...: when the stub has seen PACKET.
interrupted() {
	signal=$1
	wanted=$2
	packet=$3
	shift 3
	start_stub -e 'delay 5' "$@" "$machine"
	# A shell has programs in the background ignore interrupts; env has them not.
	env --default-signal=INT,TERM,HUP timeout --foreground 60 "$RSPDUMP" -o core ":$port" 2>errors &
	pid=$!
	wait_for 20 grep -q "^> $packet" log || fail "no $packet came"
	dump_pid=$(ps -o pid= --ppid "$pid")
	kill -s "$signal" "$dump_pid"
	wait "$pid"
	status=$?
	[ "$status" -eq "$wanted" ] || fail "SIG$signal at $packet: exit status $status, not $wanted"
	end_stub 0
	no_core
	grep -q '^= memory mode 0$' log || fail "the memory mode is not put back"
	[ "$(grep '^> ' log | tail -n 1)" = '> D;1' ] || fail "SIG$signal at $packet: D is not the last word"
}

env --default-signal=INT true 2>/dev/null || skip 'no env --default-signal'
command -v ps >/dev/null || skip 'no ps'
for packet in 'm[1-9a-f]*0000,800' 'qfThreadInfo' 'g' 'Qqemu.PhyMemMode:1' 'qRcmd'; do
	interrupted INT 130 "$packet"
	interrupted TERM 143 "$packet"
	interrupted HUP 129 "$packet"
done
