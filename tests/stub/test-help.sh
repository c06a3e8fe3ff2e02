#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the program says of itself, and that the manual page says the same; how it takes to words
# that it does not know.
. "${0%/*}/common.sh"

page=$SRC_DIR/man/rspdump.1

# The rows of the table that all of it comes from: { 'o', "output", ...
sed -n "s/^	{ [^,]*, \"\([a-z-]*\)\".*/\1/p" "$SRC_DIR/client/options.c" | sort >table
[ "$(wc -l <table)" -ge 17 ] || fail "the table of options was not found"

same() {
	diff "$1" "$2" >difference || {
		cat difference >&2
		fail "$3"
	}
}

# ---- --help ----------------------------------------------------------------------------------

run 0 --help
[ ! -s errors ] || fail "--help writes to stderr"
sed -n 's/^  \(-[a-zA-Z],\|   \) --\([a-z-]*\).*/\2/p' output | sort >helped
same table helped "--help lists other options than there are"
for verb in dump info release upload; do
	grep -q "rspdump $verb " output || fail "--help does not name $verb"
done
cp output help
run 0 -h
cmp help output || fail "-h and --help differ"
run 0 info --help
cmp help output || fail "the help of a verb differs"
awk 'length > 100 { exit 1 }' help || fail "--help has a long line"

# ---- the manual page -------------------------------------------------------------------------

sed -n 's/^\.It .*Fl -\([a-z-]*\).*/\1/p' "$page" | sort >paged
same table paged "the manual page describes other options than there are"
sed -n 's/^  -\([a-zA-Z]\), --\([a-z-]*\).*/\1 \2/p' help | sort >letters
sed -n 's/^\.It Fl \([a-zA-Z]\) .*Fl -\([a-z-]*\).*/\1 \2/p' "$page" | sort >page-letters
same letters page-letters "the manual page has other letters for the options"
for verb in dump info release upload; do
	grep -q "^\.It Cm $verb\$" "$page" || fail "the manual page does not describe $verb"
done

# SIGNAL's 128 is not a status by itself.
sed -n 's/^	STATUS_[A-Z]* = \([0-9]*\),.*/\1/p' "$SRC_DIR/client/status.h" |
	grep -vx 128 | sort -n >statuses
[ "$(wc -l <statuses)" -ge 9 ] || fail "the exit statuses were not found"
sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It \([0-9]\)$/\1/p' "$page" | sort -n >page-statuses
same statuses page-statuses "the manual page has other exit statuses"
grep -q '^\.It 129, 130, 143$' "$page" || fail "the manual page lacks the statuses of signals"

# ---- --version -------------------------------------------------------------------------------

run 0 --version
[ ! -s errors ] || fail "--version writes to stderr"
grep -Eqx 'rspdump [0-9]+\.[0-9]+\.[0-9]+.*' output || fail "--version has no version"
grep -Eqx 'Formats:.* elf( .*)?' output || fail "--version does not list the formats"
grep -Eqx 'CPUs:.* x86_64( .*)?' output || fail "--version does not list the CPUs"
grep -Eq '^Uses:.*expat' output || fail "--version does not list the libraries"
cp output version
run 0 -V
cmp version output || fail "-V and --version differ"

# ---- what it does not know -------------------------------------------------------------------

# refused WORDS ARGUMENT...: status 2, and one line with the words in it.
refused() {
	words=$1
	shift
	run 2 "$@"
	[ ! -s output ] || fail "$*: something on stdout"
	[ "$(wc -l <errors)" = 1 ] || fail "$*: not one line"
	grep -Fq -- "$words" errors || fail "$*: not told why"
}

refused 'no target given'
refused 'no target given' info
refused --frob --frob 1234
refused -x -x 1234
refused 'both want stdout' --json -o - 1234
refused 'means nothing to info' info -o core 1234
refused 'does not take "0"' --timeout 0 1234
refused 'does not take "elfs"' -F elfs 1234
# A word that is no verb is a target, which needs a second word to be wrong.
refused 'one target at a time' frobnicate 1234
refused 'frobnicate' frobnicate
refused 'no URL given' upload vmcore
refused 'means nothing without --upload' --header 'A: b' 1234
refused 'netrc' upload "$RSPDUMP" https://user:password@localhost/
refused 'port' 99999

# ---- a stdout that takes nothing -------------------------------------------------------------

"$RSPDUMP" --help >/dev/full 2>errors
status=$?
[ $status = 6 ] || fail "--help to a full disk: status $status"
grep -q 'cannot write to stdout' errors || fail "--help to a full disk: not told why"
