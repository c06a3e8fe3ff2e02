#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What can be said about the sources without running them. Needs a configured BUILD_DIR.
# timeout: 1800
set -u

: "${SRC_DIR:=$(cd "$(dirname "$0")/.." && pwd)}" "${BUILD_DIR:=$(pwd)}"
cd "$SRC_DIR" || exit 1

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# What was found stands in files: checks run behind pipes, where a variable of theirs would be lost.
: >"$work/absent"
jobs=$(nproc 2>/dev/null || echo 1)
flags="-std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -I$BUILD_DIR"

# check PROGRAM...: the files that it gets, some at a time, are the words of stdin.
check() {
	if ! command -v "$1" >/dev/null; then
		echo "$1" >>"$work/absent"
		return
	fi
	echo "== $1"
	if ! xargs "$@" >"$work/output" 2>&1; then
		cat "$work/output"
		: >"$work/failed"
	fi
}

# Files whose first line names one of the interpreters.
scripts() {
	find configure tests .ci -type f | LC_ALL=C sort | while read -r file; do
		sed -n "1s@^#! *\(/usr\)*/bin/$1\( .*\)*\$@$file@p" "$file"
	done
}

everything=$(find arch layout rsp client tests -name '*.[ch]' | LC_ALL=C sort)
# Tests may leak when they fail, and copy strings of which they know the length.
program=$(find arch layout rsp client -name '*.c' | LC_ALL=C sort)

echo "$everything" | check clang-format --dry-run -Werror --style=file
echo "$program" | check cppcheck --quiet --std=c11 --enable=warning,performance,portability \
	--inline-suppr --suppressions-list=.cppcheck-suppressions --error-exitcode=1 -j "$jobs" \
	-D_GNU_SOURCE -D__x86_64__ -I. -I"$BUILD_DIR"
{
	scripts 'sh'
	scripts 'bash'
} | check shellcheck -x -P SCRIPTDIR
scripts 'sh' | check checkbashisms
echo man/rspdump.1 | check mandoc -T lint -W warning

# The compiler's options stand behind the files.
if command -v clang-tidy >/dev/null; then
	echo "== clang-tidy"
	# One at a time: version 14 takes what it saw of a va_list in one file into the next.
	# shellcheck disable=SC2016 # for the shell that xargs starts
	if ! echo "$program" | xargs -n 1 -P "$jobs" \
		sh -c 'exec clang-tidy --quiet "$2" -- $1' sh "$flags" \
		>"$work/output" 2>&1; then
		grep -vE '^[0-9]+ warnings? generated' "$work/output"
		: >"$work/failed"
	fi
else
	echo clang-tidy >>"$work/absent"
fi

echo "== layering"
SRC_DIR=. sh tests/layering.sh || : >"$work/failed"

[ ! -e "$work/failed" ] || exit 1
if [ -s "$work/absent" ]; then
	echo "not installed: $(paste -s -d ' ' "$work/absent")"
	exit 77
fi
