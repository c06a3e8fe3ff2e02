#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#	run-all.sh
#
# From a fresh checkout to the verdict: installs what the tests need (Debian, as root or by sudo),
# builds in build/, runs every check and every test, and ends with "N passed, N failed". What
# cannot be tested here counts as failed, unless RSPDUMP_NO_SKIP=0.
set -u

cd "$(dirname "$0")/.." || exit 1
RSPDUMP_NO_SKIP=${RSPDUMP_NO_SKIP-1}
export RSPDUMP_NO_SKIP

give_up() {
	echo "FAIL $1"
	echo "0 passed, 1 failed"
	exit 1
}

tests/install-packages.sh test || give_up install-packages

mkdir -p build
cd build || give_up build
../configure --enable-werror || give_up configure
make -j"$(nproc)" all check-programs || give_up make

rm -f check.result
make --no-print-directory check-all 2>&1 && exit
# make has the last word when something failed; the verdict is to be the last line.
[ -e check.result ] || give_up check
cat check.result
exit 1
