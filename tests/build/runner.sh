#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check.sh counts right, whatever a test does.
. "${0%/*}/common.sh"

unset TESTS TEST_WRAPPER TEST_TIMEOUT RSPDUMP_NO_SKIP
mkdir -p tests/some tests/unit
# The run that we are a part of may be a strict one.
unset RSPDUMP_NO_SKIP
check=$SRC_DIR/tests/check.sh

script() { # NAME: the rest of it is on stdin
	{
		echo '#!/bin/sh'
		cat
	} >"tests/some/$1.sh"
	chmod +x "tests/some/$1.sh"
}

# runs STATUS TEST...: what it says is in output
runs() {
	expected=$1
	shift
	status=0
	BUILD_DIR=$work SRC_DIR=$SRC_DIR RSPDUMP=/the/program "$check" "$@" >output 2>&1 || status=$?
	[ $status = "$expected" ] || {
		cat output
		fail "check.sh $* ends with $status, not $expected"
	}
	tail -n 1 output >last
	diff last check.result
}

says() {
	grep -qxF -e "$1" output || {
		cat output
		fail "check.sh does not say: $1"
	}
}

ends() {
	[ "$(cat last)" = "$1" ] || {
		cat output
		fail "check.sh does not end with: $1"
	}
}

script passes <<'END'
[ "$RSPDUMP" = /the/program ] && [ -d "$BUILD_DIR" ] && [ -f "$SRC_DIR/configure" ] || exit 1
[ -z "$(ls -A "$TMPDIR")" ] || exit 2
echo "not to be seen"
echo "$TMPDIR" >"$BUILD_DIR/where"
mkdir "$TMPDIR/locked" && touch "$TMPDIR/locked/file" && chmod 0 "$TMPDIR/locked"
END
script fails <<'END'
echo "the reason"
exit 3
END
script skips <<'END'
echo "first"
echo "no such machine: here"
exit 77
END
script hangs <<'END'
# timeout: 1
echo "hanging"
sleep 1000 &
echo $! >"$BUILD_DIR/child"
wait
END
script interrupted <<'END'
sh -c 'kill -INT $$; exit 0' && exit 1
exit 0
END
script reads <<'END'
read -r line && exit 1
exit 0
END

runs 0 tests/some/passes.sh
says 'ok some/passes'
ends '1 passed, 0 failed'
! grep -q 'not to be seen' output || fail "the output of a test that passed is shown"
[ ! -e "$(cat where)" ] || fail "TMPDIR is left"

runs 1 tests/some/passes.sh tests/some/fails.sh tests/some/skips.sh
says 'FAIL some/fails'
says '    | the reason'
says 'skip some/skips: no such machine: here'
ends '1 passed, 1 failed, 1 skipped'

runs 1 tests/some/skips.sh
ends '0 passed, 0 failed, 1 skipped'
export RSPDUMP_NO_SKIP=1
runs 1 tests/some/passes.sh tests/some/skips.sh
says 'FAIL some/skips: skipped: no such machine: here'
ends '1 passed, 1 failed'
unset RSPDUMP_NO_SKIP

runs 1
ends '0 passed, 0 failed'

runs 1 tests/some/hangs.sh
says 'FAIL some/hangs'
says '    | hanging'
ends '0 passed, 1 failed'
# It is dead, though perhaps nobody has asked how it died.
case $(sed 's/.*) //' "/proc/$(cat child)/stat" 2>/dev/null) in
'' | [ZX]*) ;;
*) fail "what a test started outlives it" ;;
esac

runs 0 tests/some/interrupted.sh tests/some/reads.sh
runs 1 tests/some/nosuch.sh
ends '0 passed, 1 failed'

export TESTS='some/p* some/fails.sh'
runs 1 tests/some/passes.sh tests/some/fails.sh tests/some/skips.sh
ends '1 passed, 1 failed'
TESTS=nothing
runs 1 tests/some/passes.sh
ends '0 passed, 0 failed'
unset TESTS

# Programs of tests/unit: what cmocka says, and what it does not come to say.
program() {
	{
		echo '#!/bin/sh'
		# shellcheck disable=SC2016 # for the program
		echo '[ "$CMOCKA_MESSAGE_OUTPUT" = TAP ] || exit 9'
		cat
	} >"tests/unit/$1"
	chmod +x "tests/unit/$1"
}
program test_good <<'END'
printf '1..3\nsaid without an end ok 1 - first\nok 2 - second\nnot ok 3 # SKIP third\n'
END
program test_bad <<'END'
printf '1..2\nok 1 - first\nnot ok 2 - second\n# 0x1 != 0x2\n# test.c:9: error: Failure!\n'
exit 1
END
program test_crash <<'END'
printf '1..3\nok 1 - first\n'
kill -SEGV $$
END
program test_leak <<'END'
printf '1..1\nok 1 - first\n'
exit 23
END
program test_empty <<'END'
exit 0
END
runs 0 tests/unit/test_good
says 'ok unit/test_good/first'
says 'ok unit/test_good/second'
says 'skip unit/test_good/third: the test skips itself'
ends '2 passed, 0 failed, 1 skipped'
runs 1 tests/unit/test_bad tests/unit/test_crash tests/unit/test_leak tests/unit/test_empty
says 'FAIL unit/test_bad/second'
says '    | # 0x1 != 0x2'
says 'FAIL unit/test_crash: 2 of its tests did not end'
says 'FAIL unit/test_leak: exit status 23'
says 'FAIL unit/test_empty: it has no tests'
ends '3 passed, 4 failed'

# Programs and scripts of tests/fuzz say it in the same way. What is not there to fuzz with is skipped,
# but not what fails with such a status.
mkdir -p tests/fuzz
program fuzz_good <<'END'
printf '1..2\nok 1 - corpus\nok 2 - regressions\n'
END
program fuzz_skips <<'END'
echo "clang is not installed"
exit 77
END
program fuzz_half <<'END'
printf '1..2\nok 1 - first\n'
exit 77
END
program fuzz_slow <<'END'
# timeout: 1
printf '1..1\n'
sleep 1000
END
mv tests/unit/fuzz_* tests/fuzz
runs 1 tests/fuzz/fuzz_good tests/fuzz/fuzz_skips tests/fuzz/fuzz_half tests/fuzz/fuzz_slow
says 'ok fuzz/fuzz_good/corpus'
says 'ok fuzz/fuzz_good/regressions'
says 'skip fuzz/fuzz_skips: clang is not installed'
says 'ok fuzz/fuzz_half/first'
says 'FAIL fuzz/fuzz_half: 1 of its tests did not end'
says 'FAIL fuzz/fuzz_slow: 1 of its tests did not end'
ends '3 passed, 2 failed, 1 skipped'

# The same with the real cmocka, where there is one.
cat >real.c <<'END'
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
static void good(void **state)
{
	(void)state;
}
static void bad(void **state)
{
	(void)state;
	assert_int_equal(1, 2);
}
static void skips(void **state)
{
	(void)state;
	skip();
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good), cmocka_unit_test(bad), cmocka_unit_test(skips)
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
END
if ${CC:-cc} -o tests/unit/test_real real.c -lcmocka 2>/dev/null; then
	runs 1 tests/unit/test_real
	says 'ok unit/test_real/good'
	says 'FAIL unit/test_real/bad'
	says 'skip unit/test_real/skips: the test skips itself'
	ends '1 passed, 1 failed, 1 skipped'
fi
