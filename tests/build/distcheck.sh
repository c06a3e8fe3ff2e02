#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tarball: the same bytes at any time, for anybody, from a checkout and from itself; and whole,
# so that it builds from sources that cannot be written to, installs, and leaves nothing.
# timeout: 900
. "${0%/*}/common.sh"

need git

# As a checkout of its own, since what is new here may not have been added yet.
copy_sources tree
cd "$SRC_DIR"
rm -f MANIFEST
git init -q . && git add -A

version=$(sed -n 's/^VERSION=//p' configure)
enter build
configure CFLAGS=-O0 # to be quick
export SOURCE_DATE_EPOCH=1700000000
run_make dist
cp "rspdump-$version.tar.gz" first.tar.gz

(
	umask 077
	touch "$SRC_DIR/configure"
	touch "$SRC_DIR/stray.c"
	TZ=Asia/Tokyo LC_ALL=C.UTF-8 make dist
) >make.out 2>&1
cmp first.tar.gz "rspdump-$version.tar.gz"
unset SOURCE_DATE_EPOCH

tar -tvzf first.tar.gz >contents
lacks contents stray.c
lacks contents .git/
contains contents "rspdump-$version/MANIFEST"
contains contents ' 0/0 '
[ "$(grep -c ' 0/0 ' contents)" = "$(wc -l <contents)" ] || fail "the tarball tells who made it"
if grep -vE '^(d|-)rw[-x]r-[-x]r-[-x] ' contents; then
	fail "odd modes in the tarball"
fi

tar -xOzf first.tar.gz "rspdump-$version/MANIFEST" >manifest
tar -tzf first.tar.gz | grep -v -e '/$' -e MANIFEST | sed 's,^[^/]*/,,' | sort | diff - manifest

make distcheck DISTCHECK_TARGETS=check-unit >make.out 2>&1 || {
	tail -n 50 make.out
	fail "make distcheck should succeed"
}
contains make.out "rspdump-$version.tar.gz is ready"
[ ! -e distcheck.d ] || fail "distcheck leaves distcheck.d"
