#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fuzzes every harness of tests/fuzz for a while, as many side by side as there are CPUs, and says
# for each how it went, as cmocka does. Builds them in BUILD_DIR/fuzz, with clang, libFuzzer and the
# sanitizers; there are also the inputs that were found on the way, which the next run begins with
# (corpus/), and those that made a harness fail (findings/).
#
#	FUZZ		names of harnesses; all
#	FUZZ_SECONDS	for each; 60
#	FUZZ_TOTAL	seconds for all together, 0 for no limit; 720. If they are too few, each harness
#			has less than FUZZ_SECONDS.
#	FUZZ_JOBS	how many side by side; one for each CPU
# timeout: 86400
set -eu

: "${SRC_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}" "${BUILD_DIR:=$(pwd)}"
seconds=${FUZZ_SECONDS:-60}
total=${FUZZ_TOTAL:-720}
jobs=${FUZZ_JOBS:-$(nproc 2>/dev/null || echo 1)}
work=$(mktemp -d)
pids=''

clean_up() {
	for pid in $pids; do
		kill "$pid" 2>/dev/null || :
	done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# ---- building -------------------------------------------------------------------------------

if ! command -v clang >/dev/null; then
	echo "clang is not installed"
	exit 77
fi
cat >"$work/planted.c" <<'END'
#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return size && data[0] == 'F' && data[size];
}
END
if ! clang -g -fsanitize=fuzzer,address,undefined -o "$work/planted" "$work/planted.c" \
	>"$work/log" 2>&1; then
	cat "$work/log"
	echo "clang has no libFuzzer"
	exit 77
fi

mkdir -p "$BUILD_DIR/fuzz/corpus" "$BUILD_DIR/fuzz/findings"
cd "$BUILD_DIR/fuzz"
# At -O2 clang inlines what a stack trace had better show.
"$SRC_DIR/configure" --quiet CC=clang CFLAGS='-O1 -g' --enable-sanitize=address,undefined,fuzzer
make -j"$jobs" fuzz-programs >"$work/log" 2>&1 || {
	tail -n 50 "$work/log"
	exit 1
}
all=$(cat fuzz-programs)
names=''
for name in ${FUZZ:-$all}; do
	case " $all " in
	*" $name "*) names="$names $name" ;;
	*)
		echo "there is no harness $name"
		exit 1
		;;
	esac
done

# ---- running --------------------------------------------------------------------------------

# shellcheck disable=SC2086 # words
set -- $names
if [ "$total" -gt 0 ]; then
	share=$((total * jobs / $#))
	[ "$seconds" -le "$share" ] || seconds=$share
	[ "$seconds" -gt 0 ] || seconds=1
fi

# fuzz NAME PROGRAM CORPUS ARGUMENT...: leaves what it says in $work/NAME.log, and its status in
# $work/NAME.status. New inputs go into CORPUS, those that fail into findings/.
fuzz() {
	name=$1 program=$2
	shift 2
	mkdir -p "$1" "$work/$name.tmp"
	status=0
	# What it was given to begin with may take a while, and its last input may: -timeout is of one.
	TMPDIR=$work/$name.tmp UBSAN_OPTIONS=print_stacktrace=1 timeout -k 10 $((seconds + 120)) \
		"$program" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=1024 \
		-max_len=16384 -print_final_stats=1 -artifact_prefix="findings/$name-" "$@" \
		>"$work/$name.log" 2>&1 &
	child=$!
	wait $child || status=$?
	child=''
	echo $status >"$work/$name.status"
}

runs_of() {
	sed -n 's/^stat::number_of_executed_units: *//p' "$work/$1.log" | tail -n 1
}

# Whether all of what it was given went well, and that was something.
went_well() {
	[ "$(cat "$work/$1.status" 2>/dev/null)" = 0 ] && [ "$(runs_of "$1")" -gt 0 ] 2>/dev/null
}

fuzz_harness() {
	set -- "$1" "tests/fuzz/fuzz_$1" "corpus/$1" "$SRC_DIR/tests/fuzz/corpus/$1"
	[ ! -d "$SRC_DIR/tests/fuzz/regressions/$1" ] ||
		set -- "$@" "$SRC_DIR/tests/fuzz/regressions/$1"
	[ ! -f "$SRC_DIR/tests/fuzz/$1.dict" ] || set -- "$@" "-dict=$SRC_DIR/tests/fuzz/$1.dict"
	fuzz "$@"
}

# A program with a fault has to be found faulty, and the input has to be left.
fuzz planted "$work/planted" "$work/planted.corpus"
went_well planted && {
	echo "a fault that was planted is not found"
	exit 1
}
found=$(sed -n 's/.*Test unit written to //p' "$work/planted.log")
if [ -z "$found" ] || [ "$(head -c 1 "$found")" != F ]; then
	cat "$work/planted.log"
	echo "a fault that was planted is found, but not its input"
	exit 1
fi
rm "$found"

# A share of the harnesses: one of so many as there are shares, from a number on.
fuzz_share() {
	child=''
	trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit 1' HUP INT TERM
	trap - EXIT
	number=0
	for harness in $names; do
		[ $((number % jobs)) != "$1" ] || fuzz_harness "$harness"
		number=$((number + 1))
	done
}

echo "1..$#"
share=0
while [ $share -lt "$jobs" ]; do
	fuzz_share $share &
	pids="$pids $!"
	share=$((share + 1))
done
for pid in $pids; do
	wait "$pid" || :
done
pids=''

number=0
failed=0
for name in $names; do
	number=$((number + 1))
	log=$work/$name.log
	coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	if went_well "$name"; then
		echo "# $name: $(runs_of "$name") inputs in $seconds seconds, which reach $coverage edges"
		echo "ok $number - $name"
	else
		failed=1
		# Without what libFuzzer says of its progress.
		grep -v '^#[0-9]' "$log" | tail -n 80
		sed -n "s,.*Test unit written to ,# the input: $(pwd)/,p" "$log"
		echo "not ok $number - $name"
	fi
done
[ $failed = 0 ]
