#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every source and every test of the tree is in a list of Makefile.in, once, in order, and every
# file begins by telling its licence.
. "${0%/*}/common.sh"

list_sources | LC_ALL=C sort >all
status=0

# The words of a list in Makefile.in.
words() {
	awk -v name="$1" '
	$1 == name && $2 == "=" { inside = 1; sub(/^[^=]*=/, "") }
	inside {
		more = sub(/\\$/, "")
		for (i = 1; i <= NF; i++) print $i
		if (!more) exit
	}' "$SRC_DIR/Makefile.in"
}

# compare LIST WHAT: what there is comes on stdin. It runs behind a pipe, so that a variable of its
# would be lost: it leaves a file if they differ.
compare() {
	words "$1" >listed
	LC_ALL=C sort -c listed || : >differs
	LC_ALL=C sort >existing
	diff -u --label "$1 of Makefile.in" --label "$2" listed existing || : >differs
}

grep '^arch/.*\.c$' all | compare ARCH_SRCS 'arch/'
grep '^layout/.*\.c$' all | compare LAYOUT_SRCS 'layout/'
grep '^rsp/.*\.c$' all | compare RSP_SRCS 'rsp/'
grep '^client/.*\.c$' all | compare CLIENT_SRCS 'client/'
grep '^tests/stub/.*\.c$' all | compare STUB_SRCS 'tests/stub/'
grep '^tests/bench/.*\.c$' all | compare BENCH_SRCS 'tests/bench/'
grep '^tests/fuzz/.*\.c$' all | grep -v /fuzz_ | compare FUZZ_SRCS 'tests/fuzz/'
grep '^tests/fuzz/fuzz_.*\.c$' all | sed 's,^tests/fuzz/fuzz_,,; s/\.c$//' |
	compare FUZZ_TESTS 'tests/fuzz/'
grep '^tests/unit/.*\.c$' all | grep -v /test_ | compare UNIT_SRCS 'tests/unit/'
grep '^tests/unit/test_.*\.c$' all | sed 's,^tests/unit/test_,,; s/\.c$//' |
	compare UNIT_TESTS 'tests/unit/'
[ ! -e differs ] || status=1
grep '\.c$' all | grep -vE '^(arch|layout|rsp|client|tests/(bench|fuzz|stub|unit))/' && {
	echo "sources that are in no list"
	status=1
}

# Every harness has inputs to begin with.
words FUZZ_TESTS | while read -r name; do
	grep -q "^tests/fuzz/corpus/$name/" all || echo "no inputs in tests/fuzz/corpus/$name"
done >poor
# And every input has a harness.
sed -n 's,^tests/fuzz/\(corpus\|regressions\)/\([^/]*\)/.*,\2,p; s,^tests/fuzz/\([^/]*\)\.dict$,\1,p' all |
	sort -u | while read -r name; do
	words FUZZ_TESTS | grep -qxF "$name" || echo "inputs for no harness: tests/fuzz: $name"
done >>poor
[ ! -s poor ] || {
	cat poor
	status=1
}

# Tests are listed, or used by others.
{
	words BUILD_TESTS
	words STUB_TESTS
	words VM_TESTS
	words UPLOAD_TESTS
	words UPLOAD_LARGE_TESTS
	words VMLINUX_TESTS
} >listed
LC_ALL=C sort listed | uniq -d | grep . && {
	echo "tests that are listed twice"
	status=1
}
while read -r test; do
	[ -x "$SRC_DIR/$test" ] || {
		echo "listed, and not an executable file: $test"
		status=1
	}
done <listed
grep -E '^tests/(build|servers|stub|upload|vm)/(.*\.sh|test[-_][^.]*)$' all | while read -r file; do
	grep -qxF "$file" listed || grep -rqF "$(basename "$file")" "$SRC_DIR/tests" --include='*' \
		--exclude="$(basename "$file")" || echo "$file"
done >unlisted
[ ! -s unlisted ] || {
	echo "in no list, and used by no test:"
	cat unlisted
	status=1
}

while read -r file; do
	case $file in
	*.c) licence='1s,^// SPDX-License-Identifier: GPL-2.0-or-later$,yes,p' ;;
	*.h) licence='1s,^/\* SPDX-License-Identifier: GPL-2.0-or-later \*/$,yes,p' ;;
	*.sh | *.py | configure | Makefile.in | */test-*)
		licence='1,2s,^# SPDX-License-Identifier: GPL-2.0-or-later$,yes,p'
		;;
	*) continue ;;
	esac
	[ "$(sed -n "$licence" "$SRC_DIR/$file")" = yes ] || {
		echo "no licence in the first lines of $file"
		status=1
	}
done <all

exit $status
