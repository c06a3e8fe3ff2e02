#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What benchmarks measure by: the ceiling reads what it is told to, no more and no less, and leaves
# the guest as it was; the relay changes nothing but the time.
. "${0%/*}/common.sh"
need_reader

ceiling=$BUILD_DIR/tests/bench/ceiling
relay=$BUILD_DIR/tests/bench/relay
synthetic=$SRC_DIR/tests/stub/synthetic.py
relay_pid=''

clean_up_relay() {
	[ -z "$relay_pid" ] || kill "$relay_pid" 2>/dev/null
	clean_up
}
trap clean_up_relay EXIT

# reads BYTES ARGUMENT...: of the ceiling, at $port
reads() {
	wanted=$1
	shift
	timeout 60 "$ceiling" "$@" >output 2>errors || fail "the ceiling failed"
	[ "$(cut -d ' ' -f 2 output)" = "$wanted" ] || fail "it has read $(cat output), not $wanted"
	end_stub 0
	left_stopped
}

# 16 MiB of memory but for the hole below 1 MiB
settings=$(PYTHONDONTWRITEBYTECODE=1 python3 "$synthetic" settings 16M 20020)
start_stub -e "$settings" "$machine"
reads $((0xa0000 + 0xf00000)) "127.0.0.1:$port" 0-a0000 100000-1000000

# At its most; a window of one request; ranges that are not aligned.
start_stub "$machine"
reads $((0x9ff00)) -w 1 "127.0.0.1:$port" 100-a0000
grep -q '^> m100,700$' log || fail "the first read does not end at a boundary"
grep -q '^= window 1$' log || fail "more than one request was on its way"
start_stub_at "$work/socket" "$machine"
reads $((0x1001)) -s 256 "unix:$work/socket" 3ffff-40000 50000-51000
[ "$(grep -c '^> m' log)" -eq 17 ] || fail "not 17 reads"

# What cannot be read is told.
start_stub -e 'memory 5000 1000 unreadable' "$machine"
! timeout 60 "$ceiling" "127.0.0.1:$port" 0-a0000 >output 2>errors ||
	fail "it takes what is not there"
grep -q 'refuses to read' errors || fail "it does not say that it was refused"
end_stub 0
left_stopped

start_stub -e "$settings" "$machine"
"$relay" 2 "127.0.0.1:$port" >relay-port 2>relay-errors &
relay_pid=$!
wait_for 10 test -s relay-port || fail "the relay does not listen"
run 0 -f -o core ":$(cat relay-port)"
end_stub 0
left_running
wait "$relay_pid" || fail "the relay failed: $(cat relay-errors)"
relay_pid=''
PYTHONDONTWRITEBYTECODE=1 python3 "$synthetic" check core 16M || fail "the relay changes bytes"
