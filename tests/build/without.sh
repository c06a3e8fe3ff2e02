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
	for library in libz libzstd liblzo2 libsnappy libcurl; do
		lacks dynamic "[$library.so"
	done
fi
build --without-zlib
build --without-lzo
build --without-snappy
build --without-zstd
build --without-curl
build
