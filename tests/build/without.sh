#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# rspdump builds with every library and without each of them, says so, and is linked with none
# that it does not use.
# timeout: 600
. "${0%/*}/common.sh"

enter build

build() {
	configure --enable-werror CFLAGS=-O0 "$@" # to be quick
	run_make rspdump
	./rspdump --version >version || fail "rspdump --version fails"
	{
		sed -n 's/^Built without:/ 0/p' version
		sed -n 's/^Built with:/ 1/p' version
	} | awk '{ for (i = 2; i <= NF; i++) if ($i != "none") print $i, $1 }' | sort >told
	awk '$2 ~ /^HAVE_/ {
		name = tolower(substr($2, 6))
		print (name == "curl" ? "libcurl" : name), $3
	}' config.h | sort >made
	diff made told || fail "rspdump --version does not tell what it was built with"
}

# Only what reads config.h is compiled again from one to the next.
build --disable-autodetect
if command -v readelf >/dev/null; then
	readelf -d rspdump >dynamic
	for library in libz libdeflate libzstd liblzo2 libsnappy libcurl libnettle; do
		lacks dynamic "[$library.so"
	done
fi

# lacks_format NAME PACKAGE: it is listed nowhere, and asking for it tells what would bring it.
lacks_format() {
	lacks version "$1"
	status=0
	./rspdump -F "$1" 1 2>refusal || status=$?
	[ $status = 2 ] || fail "$1 without its library: status $status"
	contains refusal "$1: this rspdump was built without"
	contains refusal "$2"
}

contains version 'Formats: elf'
lacks_format kdump-zlib zlib1g-dev
build --without-zlib
contains version kdump-zlib # by libdeflate
build --without-libdeflate
contains version kdump-zlib # by zlib
build --without-lzo
lacks_format kdump-lzo liblzo2-dev
build --without-snappy
lacks_format kdump-snappy libsnappy-dev
build --without-zstd
lacks_format kdump-zstd libzstd-dev
build --without-curl
contains version 'Uploads: none'
build --without-nettle
contains version 'Uploads: none'
build
contains version 'Formats: elf kdump-zlib kdump-lzo kdump-snappy kdump-zstd'
