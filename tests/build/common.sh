# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of configure and make share; they source it. They work in a directory of their
# own, which goes away with them, and never write into SRC_DIR.
set -eu

: "${SRC_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
case $SRC_DIR in
/*) ;;
*) SRC_DIR=$(cd "$SRC_DIR" && pwd) ;;
esac

# The one who runs the tests is not to decide how they end, save for the choice of a compiler.
unset CFLAGS CPPFLAGS LDFLAGS LIBS AR STRIP PKG_CONFIG PKG_CONFIG_PATH PKG_CONFIG_LIBDIR \
	DESTDIR SOURCE_DATE_EPOCH MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
for library in EXPAT ZLIB LIBDEFLATE LZO2 SNAPPY ZSTD CURL NETTLE CMOCKA; do
	unset "${library}_CFLAGS" "${library}_LIBS"
done
[ -z "${CC-}" ] || export CC

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"

fail() {
	echo "failed: $*" >&2
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

need() {
	for program in "$@"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# enter NAME: a fresh directory to build in.
enter() {
	rm -rf "${work:?}/$1"
	mkdir "$work/$1"
	cd "$work/$1"
}

# configure ARGUMENT...: has to succeed. What it says is in configure.out, as with refuse.
configure() {
	echo "configure $*"
	"$SRC_DIR/configure" "$@" >configure.out 2>&1 || {
		cat configure.out
		fail "configure $* should succeed"
	}
}

# refuse TEXT ARGUMENT...: configure has to fail and to say TEXT.
refuse() {
	text=$1
	shift
	echo "configure $* is to be refused: $text"
	if "$SRC_DIR/configure" "$@" >configure.out 2>&1; then
		fail "configure $* should fail"
	fi
	contains configure.out "configure: error:"
	contains configure.out "$text"
}

contains() { # FILE TEXT
	grep -qF -e "$2" "$1" || {
		cat "$1"
		fail "$1 should contain: $2"
	}
}

lacks() { # FILE TEXT
	if grep -F -e "$2" "$1"; then
		fail "$1 should not contain: $2"
	fi
}

# make_says ARGUMENT...: what make would do is in make.out.
make_says() {
	make -n V=1 "$@" >make.out 2>&1 || {
		cat make.out
		fail "make -n $* should succeed"
	}
}

run_make() {
	make "$@" >make.out 2>&1 || {
		cat make.out
		fail "make $* should succeed"
	}
}

# The files of the sources: those that git would add, or that came with a tarball.
list_sources() {
	if [ -e "$SRC_DIR/.git" ] && git -C "$SRC_DIR" ls-files -co --exclude-standard >"$work/list" 2>&1; then
		while read -r file; do
			[ ! -e "$SRC_DIR/$file" ] || echo "$file"
		done <"$work/list"
	elif [ -e "$SRC_DIR/MANIFEST" ]; then
		cat "$SRC_DIR/MANIFEST"
		echo MANIFEST
	else
		fail "$SRC_DIR is neither a checkout nor an unpacked tarball"
	fi
}

# copy_sources DIRECTORY: a copy to write into; configure and the like then take it.
copy_sources() {
	mkdir "$work/$1"
	list_sources >"$work/sources"
	tar -C "$SRC_DIR" -T "$work/sources" -cf "$work/sources.tar"
	tar -C "$work/$1" -xf "$work/sources.tar"
	chmod -R u+w "$work/$1"
	SRC_DIR=$work/$1
}
