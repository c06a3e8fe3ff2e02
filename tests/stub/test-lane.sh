#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The two ways of memory: which one is taken, and what becomes of the dump when the pipe is refused,
# or fails in the middle.
. "${0%/*}/common.sh"
need_reader

# commands NUMBER: how often the stub was asked to write memory.
commands() {
	number=$(grep -c '^= pmemsave ' log)
	[ "$number" -eq "$1" ] || fail "$number commands, not $1"
}

# dump COMMANDS LANE ARGUMENT... -- SETTING...
dump() {
	number=$1
	lane=$2
	shift 2
	arguments=''
	while [ "$1" != -- ]; do
		arguments="$arguments $1"
		shift
	done
	shift
	start_stub "$@" "$machine"
	# shellcheck disable=SC2086 # words
	run 0 -v --json $arguments -f -o core ":$port"
	end_stub 0
	left_running
	grep -q "\"lane\": \"$lane\"" output || fail "it was not --lane $lane"
	commands "$number"
}

right='pmemsave right'

# valgrind lets it have no descriptors of high numbers.
start_stub -e "$right" "$machine"
run 0 -v -o core ":$port"
end_stub 0
! grep 'no pipe: no more than' errors || skip 'too few descriptors for a pipe'

# One page is compared; then each stretch of RAM is one command, and what lies between is in none.
dump 3 hostpipe -- -e "$right"
read_core
grep -q 'memory comes through a pipe' errors || fail "-v does not tell"
grep -q '^= pmemsave 0x0 4096 "/proc/[0-9]*/fd/[0-9]*"$' log || fail "another page was compared"
grep -q '^= pmemsave 0x0 655360 ' log || fail "not all of the first stretch at once"
grep -q '^= pmemsave 0x100000 3145728 ' log || fail "not all of the second stretch at once"
dump 3 hostpipe --lane auto -- -e "$right"
read_core
dump 3 hostpipe --lane hostpipe -- -e "$right"
read_core

# Not asked for.
dump 0 rsp --lane rsp -- -e "$right"
read_core
grep -q 'memory comes by requests of the protocol$' errors || fail "-v does not tell"
! grep 'does not come' errors || fail "another lane was tried"
# Of ranges that the user gives, only ordinary reads tell what is not there.
dump 0 rsp --ram 0-0x9ffff -- -e "$right"
dump 2 hostpipe --ram 0x123-0x2fff --lane hostpipe -- -e "$right"
grep -q '^= pmemsave 0x1000 4096 ' log || fail "no whole page was compared"
dump 0 rsp --ram 0x123-0x1122 -- -e "$right"

# Refused, or in doubt: that costs one command.
for how in refuse wrong none short long complain; do
	dump 1 rsp -- -e "pmemsave $how"
	read_core
done
dump 1 rsp --
read_core
grep -q 'does not come through a pipe.*: the stub.s monitor says: unknown command' errors ||
	fail "-v does not tell why"
grep -q 'does not come from the memory.*: to gpa2hva 0x0 the monitor says' errors ||
	fail "-v does not tell why not from the process"
rm core
start_stub -e 'pmemsave refuse' "$machine"
run 5 --lane hostpipe -o core ":$port"
end_stub 0
left_running
says '--lane hostpipe: the stub'"'"'s monitor says: Error: Could not open'
no_core

# A stub that we have started ourselves; one that is silent.
run 0 -v -f -o core "|$STUB -e '$right' $machine"
read_core
grep -q 'memory comes through a pipe' errors || fail "no pipe from a command"
rm core
start_stub -e 'pmemsave silent' "$machine"
run 4 --timeout 1 -o core ":$port"
end_stub 0

# In the middle: what was refused comes by ordinary reads; what is wrong ends it.
dump 2 hostpipe -- -e 'pmemsave refuse 2'
read_core
dump 3 hostpipe -- -e 'pmemsave complain 3'
read_core
rm core
for how in none short long; do
	start_stub -e "pmemsave $how 3" "$machine"
	run 5 -o core ":$port"
	end_stub 0
	left_running
	says 'reading memory: '
	no_core
done

# Few descriptors: no pipe, and no harm.
command -v prlimit >/dev/null || exit 0
# shellcheck disable=SC2016 # for the script
printf '#!/bin/sh\nexec prlimit --nofile=1024 "%s" "$@"\n' "$RSPDUMP" >limited
chmod +x limited
RSPDUMP=./limited
dump 0 rsp -- -e "$right"
read_core
grep -q 'process: no pipe: no more than [0-9]* files may be open' errors ||
	fail "-v does not tell why"
