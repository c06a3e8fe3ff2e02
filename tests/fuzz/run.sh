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
#	FUZZ_TOTAL	seconds for all together, 0 for no limit; 360. If they are too few, each harness
#			has less than FUZZ_SECONDS.
#	FUZZ_JOBS	how many side by side; one for each CPU
# timeout: 86400
set -eu

: "${SRC_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}" "${BUILD_DIR:=$(pwd)}"
seconds=${FUZZ_SECONDS:-60}
total=${FUZZ_TOTAL:-360}
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
echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' >"$work/empty.c"
if ! clang -fsanitize=fuzzer,address,undefined -o "$work/empty" "$work/empty.c" >"$work/log" 2>&1; then
	cat "$work/log"
	echo "clang has no libFuzzer"
	exit 77
fi

mkdir -p "$BUILD_DIR/fuzz/corpus" "$BUILD_DIR/fuzz/findings"
cd "$BUILD_DIR/fuzz"
# At -O2, gcc's warnings and ours apart, clang inlines what a stack trace had better show.
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

# fuzz NAME: leaves what it says in $work/NAME.log, and its status in $work/NAME.status.
fuzz() {
	mkdir -p "corpus/$1" "$work/$1.tmp"
	dictionary=''
	[ ! -f "$SRC_DIR/tests/fuzz/$1.dict" ] || dictionary="-dict=$SRC_DIR/tests/fuzz/$1.dict"
	regressions=''
	[ ! -d "$SRC_DIR/tests/fuzz/regressions/$1" ] ||
		regressions=$SRC_DIR/tests/fuzz/regressions/$1
	status=0
	# What it was given to begin with may take a while, and its last input may: -timeout is of one.
	# shellcheck disable=SC2086 # none or one word
	TMPDIR=$work/$1.tmp UBSAN_OPTIONS=print_stacktrace=1 timeout -k 10 $((seconds + 120)) \
		"tests/fuzz/fuzz_$1" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=1024 \
		-max_len=16384 -print_final_stats=1 -artifact_prefix="findings/$1-" $dictionary \
		"corpus/$1" "$SRC_DIR/tests/fuzz/corpus/$1" $regressions \
		>"$work/$1.log" 2>&1 || status=$?
	echo $status >"$work/$1.status"
}

# A share of the harnesses: every so manieth, from a number on.
fuzz_share() {
	number=0
	for name in $names; do
		[ $((number % jobs)) != "$1" ] || fuzz "$name"
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
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
	coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	if [ "$(cat "$work/$name.status")" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
		echo "# $name: $runs inputs in $seconds seconds, which reach $coverage edges"
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
