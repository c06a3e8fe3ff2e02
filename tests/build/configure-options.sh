#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What configure takes, what it takes with a warning, and what it refuses.
. "${0%/*}/common.sh"

enter options

refuse 'unknown option --perfix=/usr' --perfix=/usr
refuse 'unknown option -x' -x
refuse 'unknown option x86_64-linux-gnu' x86_64-linux-gnu
refuse 'unknown variable CFLAG' CFLAG=-O3
refuse '--prefix needs a value' --prefix /usr
refuse 'has to begin with a slash' --prefix=usr
refuse 'has to begin with a slash' --mandir=share/man
refuse 'only yes and no' --enable-werror=maybe
refuse 'line break' 'CFLAGS=-O2
-g'
refuse 'no sanitizer is called adress' --enable-sanitize=adress
refuse 'thread goes with neither' --enable-sanitize=address,thread
refuse 'unknown: --enable-shared' --enable-option-checking=fatal --enable-shared
refuse 'the sources of rspdump are not in /usr' --srcdir=/usr
[ ! -e Makefile ] || fail "a refused configure writes a Makefile"

configure --enable-shared --disable-nls --with-gnu-ld --without-x --somedir=/x
contains configure.out \
	'these mean nothing here: --enable-shared --disable-nls --with-gnu-ld --without-x --somedir=/x'
configure --disable-option-checking --enable-shared
lacks configure.out 'mean nothing'

"$SRC_DIR/configure" --version >version
version=$(sed -n 's/^VERSION=//p' "$SRC_DIR/configure")
[ "$(cat version)" = "rspdump $version" ] || fail "--version says $(cat version)"
contains config.h "\"$version\""

# Each option that is described is also understood.
"$SRC_DIR/configure" --help >help
[ "$(awk '{ if (length > 100) n++ } END { print n + 0 }' help)" = 0 ] || fail "--help is too wide"
grep -oE -e '--(enable|disable)-[a-z-]+[a-z]' help | sort -u >described
[ "$(wc -l <described)" -ge 8 ] || fail "--help does not describe the features"
# shellcheck disable=SC2046 # words
configure $(grep -v option-checking described) --enable-autodetect --enable-option-checking=fatal

# Directories that make cannot work in.
# shellcheck disable=SC2016
for name in 'a b' "it's" 'a$b' 'a#b' 'a:b' 'a%b' 'a[b' 'a]b' 'a\b'; do
	mkdir "$name"
	(
		cd "$name"
		refuse 'make cannot work in a directory' >/dev/null
	)
done
mkdir 'é~+,@'
cd 'é~+,@'
configure
run_make libarch.a
