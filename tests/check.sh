#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#	check.sh TEST...
#
# Runs tests and says how they went: a line each, "ok NAME", "FAIL NAME" with all that the test
# said, or "skip NAME: reason", and in the end "N passed, N failed" and, if there are any, ", N
# skipped". Fails if a test did, or if none ran. A TEST is
#
# - a program of tests/unit, which is cmocka's, or of tests/fuzz, which says the same (TAP): each
#   test within it counts for itself. If it exits with 77 without any, all of it is skipped.
# - any other program or script, which is one test. It passes if it exits with 0. With 77 it is
#   skipped, and the last line that it wrote is the reason.
#
# They find what they need by BUILD_DIR, SRC_DIR and RSPDUMP, the program; TMPDIR is a fresh
# directory, removed afterwards. None runs longer than TEST_TIMEOUT seconds, or the N of a line
# "# timeout: N" among the first lines of a script.
#
# The last line is also left in BUILD_DIR/check.result.
#
#	TESTS			patterns; what they do not match is left out
#	RSPDUMP_NO_SKIP=1	a skipped test has failed
#	TEST_WRAPPER		a command, such as valgrind, to run programs under

SRC_DIR=${SRC_DIR:-$(cd "$(dirname "$0")/.." && pwd)}
BUILD_DIR=${BUILD_DIR:-$(pwd)}
RSPDUMP=${RSPDUMP:-$BUILD_DIR/rspdump}
export SRC_DIR BUILD_DIR RSPDUMP

patterns=${TESTS-}
wrapper=${TEST_WRAPPER-}
# A make that a test starts is not to take our own make's arguments for its own.
unset TESTS TEST_WRAPPER MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

work=$(mktemp -d "${TMPDIR:-/tmp}/rspdump-check.XXXXXX") || exit 1
running=''

clean_up() {
	# timeout passes the signal on to all that the test started.
	[ -z "$running" ] || kill "$running" 2>/dev/null
	chmod -R u+rwX "$work"
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# What a shell starts in the background ignores interrupts, and so would all below it.
with_signals=''
if env --default-signal=INT,QUIT true 2>/dev/null; then
	with_signals='env --default-signal=INT,QUIT'
fi

if [ -n "$wrapper" ]; then
	printf '#!/bin/sh\nexec %s %s "$@"\n' "$wrapper" "$RSPDUMP" >"$work/rspdump"
	chmod +x "$work/rspdump"
	RSPDUMP=$work/rspdump
fi

# tests/unit/test_hex -> unit/test_hex, tests/lint.sh -> lint
name_of() {
	name=${1##*/tests/}
	name=${name#tests/}
	name=${name%.sh}
	name=${name%.py}
}

matches() {
	[ -n "$patterns" ] || return 0
	set -f
	for pattern in $patterns; do
		# shellcheck disable=SC2254 # a pattern it is
		case $name in
		$pattern | ${pattern%.sh})
			set +f
			return 0
			;;
		esac
	done
	set +f
	return 1
}

# run COMMAND...: leaves the status in $status and all that was said in $work/output.
run() {
	mkdir "$work/tmp"
	# shellcheck disable=SC2086 # words
	TMPDIR=$work/tmp CMOCKA_MESSAGE_OUTPUT=TAP $with_signals \
		timeout -k 10 "$limit" "$@" >"$work/output" 2>&1 </dev/null &
	running=$!
	wait "$running"
	status=$?
	running=''
	chmod -R u+rwX "$work/tmp"
	rm -rf "$work/tmp"
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		echo "(stopped: it ran for more than $limit seconds, or was killed)" >>"$work/output"
	fi
}

last_line() {
	sed '/^[[:space:]]*$/d' "$work/output" | tail -n 1
}

find_limit() {
	limit=$(sed -n '1,30s/^# timeout: \([0-9][0-9]*\)$/\1/p; 30q' "$1")
	: "${limit:=${TEST_TIMEOUT:-300}}"
}

# Both leave their verdicts in $work/verdicts.
run_script() {
	find_limit "$1"
	if [ -x "$1" ]; then
		run "$1"
	else
		run sh "$1"
	fi
	case $status in
	0) echo "ok $name" ;;
	77) echo "skip $name: $(last_line)" ;;
	*) echo "FAIL $name" ;;
	esac >"$work/verdicts"
}

run_program() {
	find_limit "$1"
	# shellcheck disable=SC2086 # words
	run $wrapper "$1"
	if [ "$status" = 77 ] && ! grep -qE '^(1\.\.|(not )?ok )[0-9]' "$work/output"; then
		echo "skip $name: $(last_line)" >"$work/verdicts"
		return
	fi
	# A test that prints without a newline has cmocka's "ok" in the middle of a line.
	awk -v name="$name" -v status="$status" '
	/^1\.\.[0-9]+$/ {
		planned += substr($0, 4)
		next
	}
	match($0, /(not )?ok [0-9]+ # [Ss][Kk][Ii][Pp]/) {
		reported++
		print "skip " name "/" $NF ": the test skips itself"
		next
	}
	match($0, /not ok [0-9]+ - /) {
		reported++
		failed++
		print "FAIL " name "/" substr($0, RSTART + RLENGTH)
		next
	}
	match($0, /ok [0-9]+ - /) {
		reported++
		print "ok " name "/" substr($0, RSTART + RLENGTH)
	}
	END {
		if (reported < planned)
			print "FAIL " name ": " planned - reported + 0 " of its tests did not end"
		else if (status != 0 && !failed)
			print "FAIL " name ": exit status " status
		else if (reported == 0)
			print "FAIL " name ": it has no tests"
	}' "$work/output" >"$work/verdicts"
}

passed=0
failed=0
skipped=0

for test in "$@"; do
	name_of "$test"
	matches || continue
	case $test in
	*/unit/* | */fuzz/*) run_program "$test" ;;
	*) run_script "$test" ;;
	esac
	if [ "${RSPDUMP_NO_SKIP-}" = 1 ]; then
		sed 's/^skip \([^:]*\): /FAIL \1: skipped: /' "$work/verdicts" >"$work/strict"
		mv "$work/strict" "$work/verdicts"
	fi
	cat "$work/verdicts"
	if grep -q '^FAIL' "$work/verdicts"; then
		sed 's/^/    | /' "$work/output"
	fi
	passed=$((passed + $(grep -c '^ok ' "$work/verdicts")))
	failed=$((failed + $(grep -c '^FAIL ' "$work/verdicts")))
	skipped=$((skipped + $(grep -c '^skip ' "$work/verdicts")))
done

result="$passed passed, $failed failed"
[ $skipped = 0 ] || result="$result, $skipped skipped"
echo "$result" >"$BUILD_DIR/check.result"
echo "$result"
[ $failed = 0 ] && [ $((passed + failed)) != 0 ]
