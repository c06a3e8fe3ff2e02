#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Libraries: found, not found, asked for, left out, and in a place of their own.
. "${0%/*}/common.sh"

need pkg-config

# NAME of the option, VARIABLE
each_optional() {
	for pair in zlib:ZLIB libdeflate:LIBDEFLATE lzo:LZO2 snappy:SNAPPY zstd:ZSTD curl:CURL nettle:NETTLE; do
		"$1" "${pair%:*}" "${pair#*:}"
	done
}

is_left_out() {
	contains config.h "#define HAVE_$2 0"
	grep -q "^  $1  *left out (--without-$1)\$" configure.out ||
		fail "the summary does not say that $1 is left out"
}

is_not_found() {
	contains config.h "#define HAVE_$2 0"
	grep -q "^  $1  *not found (pkg-config knows no " configure.out ||
		fail "the summary does not say why $1 is not used"
}

is_not_asked_for() {
	contains config.h "#define HAVE_$2 0"
	contains configure.out "left out (not asked for by --with-$1)"
}

enter left-out
configure --without-zlib --without-libdeflate --without-lzo --without-snappy --without-zstd \
	--without-curl --without-nettle --without-cmocka
each_optional is_left_out
lacks config.log lzo1x.h
lacks config.log curl.h

# One left out does not take another with it.
enter one
configure --without-lzo
is_left_out lzo LZO2
contains config.h "#define HAVE_ZLIB 1"
contains config.h "#define HAVE_SNAPPY 1"
contains config.h "#define HAVE_ZSTD 1"
contains config.h "#define HAVE_CURL 1"

enter not-asked-for
configure --disable-autodetect --with-zstd
is_not_asked_for zlib ZLIB
is_not_asked_for curl CURL
contains config.h "#define HAVE_ZSTD 1"

# From here on pkg-config knows nothing at all.
enter hidden
export PKG_CONFIG_LIBDIR="$work/hidden"
refuse 'expat is needed and cannot be used: pkg-config knows no expat'
refuse 'rspdump cannot be built without expat' --without-expat
export EXPAT_LIBS=-lexpat
configure
each_optional is_not_found
contains configure.out 'as EXPAT_CFLAGS and EXPAT_LIBS say'

is_refused() {
	refuse "$1 is needed and cannot be used: pkg-config knows no" "--with-$1"
	contains configure.out "$2_LIBS"
	refuse "$1 is needed and cannot be used" "--with-$1=yes"
}
each_optional is_refused
refuse 'cmocka is needed and cannot be used' --with-cmocka
refuse 'a library in a place of its own' --with-zlib=/opt/zlib

configure ZLIB_LIBS=-lz ZSTD_CFLAGS=-DSTAND_IN
contains config.h "#define HAVE_ZLIB 1"
contains config.h "#define HAVE_ZSTD 1"
contains config.h "#define HAVE_LZO2 0"
contains Makefile 'ZSTD_CFLAGS = -DSTAND_IN'
contains Makefile 'ZSTD_LIBS = -lzstd'
refuse 'a program with -lnosuchlibrary does not link' --with-zlib ZLIB_LIBS=-lnosuchlibrary

# pkg-config's word alone is not enough, and an old curl is none.
cat >zlib.pc <<'END'
Name: zlib
Description: a promise
Version: 1.2.13
Libs: -lnosuchlibrary
END
cat >libcurl.pc <<'END'
Name: libcurl
Description: too old
Version: 7.65.3
Libs: -lcurl
END
refuse 'a program with -lnosuchlibrary does not link' --with-zlib
refuse 'pkg-config knows no libcurl >= 7.66.0' --with-curl

# No pkg-config: the usual names are tried.
mkdir bin
for tool in gcc ar strip cat sed tr rm mkdir cmp mv chmod uname as ld dirname; do
	ln -s "$(command -v $tool)" "bin/$tool"
done
PATH=$work/hidden/bin configure CC=gcc
contains config.h "#define HAVE_ZLIB 1"
grep -q '^  zlib  *without pkg-config$' configure.out || fail "zlib is not found without pkg-config"
