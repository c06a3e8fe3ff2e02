#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# configure is a script for any POSIX shell, and comes to the same end in all of them.
. "${0%/*}/common.sh"

need shellcheck checkbashisms dash bash busybox

shellcheck "$SRC_DIR/configure"
checkbashisms "$SRC_DIR/configure"

for shell in 'dash' 'bash' 'bash --posix' 'busybox sh'; do
	enter "in"
	$shell "$SRC_DIR/configure" "CFLAGS=-O1 -DTEXT='\"a b\"'" >out 2>&1 || {
		cat out
		fail "configure does not run in $shell"
	}
	rm config.log
	cd ..
	if [ -d first ]; then
		diff -r first "in" || fail "$shell makes something else than dash"
	else
		mv "in" first
	fi
done
