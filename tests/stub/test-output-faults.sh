#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The output fails in the middle of a dump: exit status 6, or 8 for a file that is another's. The guest
# runs again or stays as asked, and nothing is left of the core. A disk that is full is a small
# tmpfs where one can be mounted, and the limit on the size of files elsewhere; what fails with EIO is
# memory of a process that nothing is mapped at.
. "${0%/*}/common.sh"

# failed STATUS TEXT: what the dump that has just ended was to say.
failed() {
	[ "$status" -eq "$1" ] || fail "exit status $status, not $1"
	end_stub 0
	left_running
	says "$2"
	no_core
}

# limited OPTION...: files may have 1 MiB, and the core has 3.6.
limited() {
	timeout 60 prlimit --fsize=1048576 "$RSPDUMP" -o core "$@" ":$port" </dev/null >output 2>errors
	status=$?
}

command -v prlimit >/dev/null || skip 'no prlimit'
start_stub "$machine"
limited
failed 6 'File too large'
start_stub "$machine"
limited --flat
failed 6 'File too large'
if "$RSPDUMP" --version | grep -q 'kdump-zstd'; then
	start_stub "$machine"
	limited -F kdump-zstd
	failed 6 'File too large'
fi
start_stub "$machine"
limited --after stop
[ $status -eq 6 ] || fail "exit status $status, not 6"
end_stub 0
left_stopped
no_core

# A disk of its own, in a name space of its own, so that it goes away with the shell.
mkdir disk
# shellcheck disable=SC2016 # for the shell that unshare starts
in_small_disk='mount -t tmpfs -o size=1m none disk && cd disk &&
	{ timeout 60 "$0" -o core "$@"; echo $? >../status; ls -A >../left; }'
start_stub "$machine"
if unshare -m sh -c "$in_small_disk" "$RSPDUMP" ":$port" >output 2>errors </dev/null; then
	status=$(cat status)
	failed 6 'No space left on device'
	[ ! -s left ] || fail "on the full disk is $(cat left)"
else
	echo 'no tmpfs can be mounted here'
	run 0 -o core ":$port"
	end_stub 0
	rm core
fi

# Of a shell that stays, nothing is mapped at 0; what has become another program takes nothing at all.
start_stub "$machine"
timeout 60 "$RSPDUMP" -o fd:9 ":$port" 9<>"/proc/$$/mem" </dev/null >output 2>errors
status=$?
failed 6 'Input/output error'
start_stub "$machine"
timeout 60 sh -c 'exec "$@" 9<>/proc/self/mem' sh "$RSPDUMP" -o fd:9 ":$port" </dev/null >output 2>errors
status=$?
failed 6 'Input/output error'

# Whoever reads goes away: at once, after some of it, and from a pipe with a name.
for some in 0 100000; do
	start_stub "$machine"
	{
		timeout 60 "$RSPDUMP" -q -o - ":$port" 2>errors
		echo $? >status
	} | head -c "$some" >/dev/null
	status=$(cat status)
	failed 6 'Broken pipe'
done
mkfifo pipe
start_stub -e 'delay 2' "$machine"
head -c 100000 pipe >/dev/null &
timeout 60 "$RSPDUMP" -o fd:9 ":$port" 9>pipe </dev/null >output 2>errors
status=$?
failed 6 'Broken pipe'

# Somebody makes the file meanwhile, who is not robbed of it.
start_stub -e 'delay 5' "$machine"
timeout 60 "$RSPDUMP" -o core ":$port" </dev/null >output 2>errors &
pid=$!
wait_for 20 grep -q '^> m[1-9a-f]*0000,800' log || fail "no memory is read"
[ "$(stat -c %a core.partial)" = 600 ] || fail "others may read core.partial"
echo "a rival's" >core
wait "$pid"
status=$?
[ $status -eq 8 ] || fail "exit status $status, not 8"
end_stub 0
left_running
says 'core has appeared meanwhile'
[ "$(cat core)" = "a rival's" ] || fail "the rival was overwritten"
[ ! -e core.partial ] || fail "core.partial is left"
rm core

# What is there before, under whatever name, and wherever it leads to.
mkdir -m 1777 shared
echo precious >victim
ln -s ../victim shared/core.partial
start_stub "$machine"
run 8 -o shared/core ":$port"
[ ! -s log ] || fail "the stub was spoken to"
says 'core.partial exists'
run 0 --force -o shared/core ":$port"
end_stub 0
left_running
[ "$(cat victim)" = precious ] || fail "it was written through the link"
[ ! -L shared/core ] || fail "the core is a link"

# Another's in a directory where only its owner may remove it. As somebody who may run the program:
# what it is run under (valgrind) may be ours alone.
as_other() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
chmod 755 "$work"
if [ "$(id -u)" = 0 ] && as_other test -r "$RSPDUMP"; then
	rm shared/core
	ln -s ../victim shared/core.partial
	start_stub "$machine"
	for force in '' --force; do
		# shellcheck disable=SC2086 # or none
		as_other timeout 60 "$RSPDUMP" $force -o shared/core ":$port" </dev/null >output 2>errors
		status=$?
		[ ! -s log ] || fail "the stub was spoken to"
		if [ -z "$force" ]; then
			[ $status -eq 8 ] || fail "exit status $status, not 8"
			says 'core.partial exists'
		else
			[ $status -eq 6 ] || fail "exit status $status, not 6"
			says 'cannot remove shared/core.partial: Operation not permitted'
		fi
	done
	[ "$(cat victim)" = precious ] || fail "it was written through another's link"
	kill "$stub_pid"
	wait "$stub_pid" 2>/dev/null
	stub_pid=''
	rm shared/core.partial
fi

# A name stands for bytes that are on the disk: first they, then it, then the directory.
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	start_stub "$machine"
	# What looks for leaks cannot be traced itself.
	ASAN_OPTIONS=detect_leaks=0 timeout 60 strace -f -o calls -e trace=fsync,renameat2,openat,pwrite64,ftruncate \
		"$RSPDUMP" -o core ":$port" </dev/null >output 2>errors || fail "it does not dump under strace"
	end_stub 0
	fd=$(sed -n 's/.*"core\.partial", O_RDWR.* = \([0-9]*\)$/\1/p' calls)
	awk -v fd="$fd" '
		index($0, "pwrite64(" fd ",") || index($0, "ftruncate(" fd ",") { written = NR; synced = 0 }
		index($0, "fsync(" fd ")") && written { synced = NR }
		/renameat2\(.*"core\.partial".*"core"/ { if (!synced) exit 1; renamed = NR }
		renamed && NR > renamed && /fsync\(/ { directory = NR }
		END { exit renamed && directory ? 0 : 1 }' calls || {
		grep -v pwrite64 calls >&2
		fail "not in the order of fsync(), rename(), fsync()"
	}
	rm core
fi
