# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of the whole program against the scripted stub share; they source it. Each works in
# a fresh directory.
set -u

: "${SRC_DIR:=$(cd "${0%/*}/../.." && pwd)}" "${BUILD_DIR:=$(pwd)}"
: "${RSPDUMP:=$BUILD_DIR/rspdump}" "${STUB:=$BUILD_DIR/tests/stub/scripted-stub}"
machine=$SRC_DIR/tests/stub/x86_64.machine
reader=$SRC_DIR/tests/stub/read_core.py

work=$(mktemp -d "${TMPDIR:-/tmp}/rspdump-stub.XXXXXX") || exit 1
cd "$work" || exit 1
stub_pid=''

clean_up() {
	[ -z "$stub_pid" ] || kill "$stub_pid" 2>/dev/null
	cd / && rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

fail() {
	echo "$*" >&2
	for file in errors log; do
		[ ! -s "$file" ] || { echo "--- $file"; tail -n 20 "$file"; } >&2
	done
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# wait_for SECONDS COMMAND...: until it is true.
wait_for() {
	tries=$(($1 * 20))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

# start_stub_at ADDRESS ARGUMENT...: listens, with `log` for its log.
start_stub_at() {
	address=$1
	shift
	rm -f log where
	"$STUB" -l "$address" -o log "$@" >where 2>stub-errors &
	stub_pid=$!
	wait_for 10 test -s where || {
		cat stub-errors >&2
		fail "the stub does not listen at $address"
	}
}

# start_stub ARGUMENT...: on a port of the loopback device, which is then in $port.
start_stub() {
	start_stub_at 127.0.0.1:0 "$@"
	port=$(cat where)
}

# end_stub STATUS: waits for its end. 98 is a careless client, 99 one that did what is forbidden.
end_stub() {
	wait_for 20 grep -q '^= over' log || fail "the stub goes on"
	wait "$stub_pid"
	stub_status=$?
	stub_pid=''
	[ "$stub_status" -eq "$1" ] || fail "the stub ended with status $stub_status"
}

# run STATUS ARGUMENT...: of the program; what it says goes to `errors` and `output`.
run() {
	wanted=$1
	shift
	timeout 60 "$RSPDUMP" "$@" </dev/null >output 2>errors
	status=$?
	[ "$status" -eq "$wanted" ] || fail "rspdump $*: exit status $status, not $wanted"
}

# says TEXT: exactly one line of the errors is about the end, and has this in it.
says() {
	grep -v ': warning: ' errors >about_the_end
	[ "$(wc -l <about_the_end)" -eq 1 ] || fail "not one line about the end"
	grep -qF -- "$1" about_the_end || fail "it does not say: $1"
	grep -q '^rspdump: ' about_the_end || fail "it does not say who says it"
}

# Nothing may be left of a core that failed.
no_core() {
	for file in core core.partial; do
		[ ! -e "$file" ] || fail "there is a file $file"
	done
}

# The stub's memory mode is as it was, D was said, and nothing behind it, not even a '+'.
left_running() {
	grep -q '^= memory mode 0$' log || fail "the memory mode is not put back"
	[ "$(grep '^> ' log | tail -n 1)" = '> D;1' ] || fail "D is not the last word"
}

# The mode is put back, but D was not said.
left_stopped() {
	grep -q '^= memory mode 0$' log || fail "the memory mode is not put back"
	! grep -q '^> D' log || fail "the guest was let run"
}

# Python reads the cores; the tests' own reader, not one of those that the cores are for.
need_reader() {
	command -v python3 >/dev/null || skip 'no python3'
}

# See read_core.py; $zero has the stretches that must be zero, $only that of all there is, or nothing.
zero=''
only=''
read_core() {
	# shellcheck disable=SC2086 # words
	PYTHONDONTWRITEBYTECODE=1 python3 "$reader" ${only:+--only "$only"} core $zero || fail "core is not what it should be"
}
