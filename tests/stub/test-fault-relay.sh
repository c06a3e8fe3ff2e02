#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of broken links are made with: the relay changes nothing when it is told to, does
# what a seed or a line of its own log says, and the same again for the same one.
. "${0%/*}/common.sh"
need_reader

# Its guest stands still from one connection to the next.
sed '/^unsolicited/d' "$machine" >standing.machine
machine=standing.machine
relay=$BUILD_DIR/tests/stub/fault-relay
relay_pid=''

clean_up_relay() {
	[ -z "$relay_pid" ] || kill "$relay_pid" 2>/dev/null
	clean_up
}
trap clean_up_relay EXIT

# start_relay TARGET ARGUMENT...: its port is then in $relay_port, and what it does in `faults`
start_relay() {
	target=$1
	shift
	rm -f relay-port
	"$relay" "$@" "$target" >relay-port 2>faults &
	relay_pid=$!
	wait_for 10 test -s relay-port || fail "the relay does not listen"
	relay_port=$(cat relay-port)
}

end_relay() {
	kill "$relay_pid"
	wait "$relay_pid" 2>/dev/null
	relay_pid=''
}

# dump STATUSES ARGUMENT...: over a relay with these arguments, to a stub that takes several clients.
# What became of it is in $status.
dump() {
	wanted=$1
	shift
	start_stub -n 8 "$machine"
	start_relay "127.0.0.1:$port" "$@"
	status=0
	timeout 60 "$RSPDUMP" --timeout 1 -f -o core ":$relay_port" </dev/null >output 2>errors ||
		status=$?
	end_relay
	kill "$stub_pid"
	wait "$stub_pid" 2>/dev/null
	stub_pid=''
	case " $wanted " in
	*" $status "*) ;;
	*) fail "$*: exit status $status, not one of $wanted" ;;
	esac
	if [ "$status" -eq 0 ]; then
		read_core
		rm core
	fi
	! grep -q 'core.partial has' errors || rm core.partial
	no_core
}

# done_by LINE...: the relay has done this, and nothing else
done_by() {
	printf '%s\n' "$@" >wanted
	cmp -s wanted faults || fail "the relay has done: $(cat faults), not: $*"
}

# Nothing, for as many connections as come; also to a unix socket
start_stub -n 2 "$machine"
start_relay "127.0.0.1:$port" -n 0
for _ in 1 2; do
	run 0 --after resume -f -o core ":$relay_port"
	read_core
done
end_stub 0
end_relay
[ ! -s faults ] || fail "it has done: $(cat faults)"
start_stub_at "$work/socket" "$machine"
start_relay "unix:$work/socket" -n 0
run 0 --after resume -f -o core ":$relay_port"
end_stub 0
left_running
end_relay
read_core
rm core

# Each kind, where it is told. Memory begins to come behind some 100000 bytes; there are 7 MB of it.
# at STATUSES FAULT: at this byte
at() {
	dump "$1" -p "$2"
	done_by "$2"
}
for direction in there back; do
	at 0 "delay $direction 9000 7"
	at 0 "stall $direction 9000 7"
	for kind in cut cut-client cut-stub fin hole; do
		at '0 4' "$kind $direction 9000 7"
	done
done
# behind STATUSES KIND DIRECTION BYTES: at the next packet that it can be done to
behind() {
	dump "$1" -p "$2 $3 $4 2a"
	grep -qx "$2 $3 [0-9]* 2a" faults || fail "the relay has done: $(cat faults), not: $2"
	[ "$(cut -d ' ' -f 3 faults)" -ge "$4" ] || fail "$(cat faults): too early"
}
for kind in corrupt-body corrupt-sum corrupt-frame drop truncate; do
	behind '0 4 5' $kind there 9000
	behind '0 4 5' $kind back 3000000
done
behind '0 4 5' nack there 9000
for kind in duplicate longer endless unasked; do
	behind '0 4 5' $kind back 3000000
done
behind '0 4 5' swap back 0
behind 0 notification back 3000000
behind 0 console back 3000000

# The same seed does the same; its log does, too.
for seed in 1 2 3 4 5; do
	dump '0 4 5' -s $seed -f corrupt-body,corrupt-sum,cut,duplicate -n 2 -a 5000000
	cp faults first
	dump '0 4 5' -s $seed -f corrupt-body,corrupt-sum,cut,duplicate -n 2 -a 5000000
	grep -q 'cut' first || cmp -s first faults ||
		fail "seed $seed: $(cat first), and then $(cat faults)"
	line=$(head -n 1 first)
	[ -n "$line" ] || continue
	dump '0 4 5' -p "$line"
	done_by "$line"
done

# With --retry also a connection that ends before anything is said is followed by another one.
for kind in cut fin; do
	start_stub -n 2 "$machine"
	start_relay "127.0.0.1:$port" -p "$kind there 0 7"
	run 0 --retry 10 -f -o core ":$relay_port"
	end_stub 0
	end_relay
	grep -q 'closed before anything was said; connecting again' errors ||
		fail "it does not say that the connection was closed"
	# Whether the stub has stopped the guest for the first one, nobody has heard.
	left_running
	read_core
	rm core
done
# Without it that may be no stub at all, or one whose guest now stands still.
start_stub -n 1 "$machine"
start_relay "127.0.0.1:$port" -p "cut there 0 7"
run 4 -o core ":$relay_port"
says 'closed before anything was said; the guest may stand still now'
end_stub 0
end_relay
no_core

# No nonsense
for arguments in '-f nothing' '-p cut' '-p cut.there.1' '-p nack.back.1.1' '-p cut.up.1.1'; do
	# shellcheck disable=SC2046 # words
	! timeout 10 "$relay" $(echo "$arguments" | cut -d ' ' -f 1) \
		"$(echo "$arguments" | cut -d ' ' -f 2 | tr . ' ')" 127.0.0.1:1 >output 2>errors ||
		fail "it takes $arguments"
	grep -q '^fault-relay: ' errors || fail "it does not say what is wrong with $arguments"
done
