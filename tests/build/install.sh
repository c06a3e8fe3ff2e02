#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What make install puts where, and that make uninstall takes it all away.
. "${0%/*}/common.sh"

: "${BUILD_DIR:?}"
prefix=/opt/some\ place

install_with() {
	make -C "$BUILD_DIR" "$@" prefix="$prefix" exec_prefix="$prefix" bindir="$prefix/bin" \
		mandir="$prefix/man" docdir="$prefix/doc" DESTDIR="$work/root" >make.out 2>&1 || {
		cat make.out
		fail "make $* should succeed"
	}
}

cat >expected <<'END'
644 doc/COPYING
644 doc/NEWS.md
644 doc/README.md
644 man/man1/rspdump.1
755 bin/rspdump
END

umask 077
install_with install
(cd "root$prefix" && find . -type f -printf '%m %P\n' | LC_ALL=C sort) >installed
diff expected installed
"root$prefix/bin/rspdump" --version >version
contains version "$(sed -n 's/^VERSION=//p' "$SRC_DIR/configure")"

install_with install-strip
"root$prefix/bin/rspdump" --version | diff version -
if command -v readelf >/dev/null; then
	readelf -S "root$prefix/bin/rspdump" >sections
	lacks sections .debug_info
	lacks sections .symtab
fi

# Somebody else's files stay.
touch "root$prefix/bin/other"
install_with uninstall
[ "$(find root ! -type d)" = "root$prefix/bin/other" ] || fail "left: $(find root)"
[ ! -e "root$prefix/doc" ] || fail "the directory of the documents is left"
