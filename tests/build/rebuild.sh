#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What make does a second time: nothing, or what became necessary. In the source tree, too.
. "${0%/*}/common.sh"

copy_sources tree
cd "$SRC_DIR"
configure --enable-debug
run_make arch/error.o

run_make arch/error.o
contains make.out "up to date"

touch -d '+2 seconds' arch/error.h
make_says arch/error.o
contains make.out arch/error.c

# A header that goes away is not missed.
run_make arch/error.o
echo '#include "arch/new.h"' >>arch/error.c
touch arch/new.h
run_make arch/error.o
sed -i '$d' arch/error.c
rm arch/new.h
run_make arch/error.o

touch -d '+4 seconds' Makefile.in
make arch/error.o >make.out 2>&1
touch -d '+6 seconds' Makefile
sed -i 's/^VERSION=.*/VERSION=99.9/' configure
touch -d '+8 seconds' configure
run_make arch/error.o
contains config.h '"99.9"'
contains Makefile '-Og -g3'

run_make distclean
rm make.out configure.out
find . -type f | sed 's,^\./,,' | LC_ALL=C sort >"$work/after"
LC_ALL=C sort "$work/sources" | diff - "$work/after" ||
	fail "distclean leaves something, or takes too much"
