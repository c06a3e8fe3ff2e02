#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#	install-packages.sh build|demo|test
#
# Installs Debian's packages that one needs to build rspdump, to try it on a guest, or to run all
# of its tests. Each set holds the one before it.
set -eu

build='
	gcc
	libc6-dev
	libcurl4-openssl-dev
	libdeflate-dev
	libexpat1-dev
	liblzo2-dev
	libsnappy-dev
	libzstd-dev
	make
	nettle-dev
	pkg-config
	zlib1g-dev'

demo='
	busybox-static
	cpio
	crash
	qemu-system-x86
	xz-utils
	zstd'

# busybox-static is also the third shell that configure is run by.
# Servers to upload to; none of these packages starts a service. tests/servers/fetch-*.sh get the
# others. A node that is there already brings its npm.
upload='
	apache2-bin
	curl
	openssl
	python3-swift'
command -v npm >/dev/null || upload="$upload
	nodejs
	npm"

# bc, bison, flex and libelf-dev are for the kernel with kgdb, which is built here.
test='
	bc
	binutils
	bison
	clang
	clang-format
	clang-tidy
	cppcheck
	devscripts
	elfutils
	flex
	gcc-aarch64-linux-gnu
	gdb
	gdbserver
	git
	jq
	libc6-dbg
	libc6-dev-arm64-cross
	libclang-rt-14-dev
	libcmocka-dev
	libelf-dev
	llvm
	makedumpfile
	mandoc
	openocd
	opensbi
	procps
	python3
	python3-drgn
	python3-libkdumpfile
	qemu-system-arm
	qemu-system-misc
	qemu-system-ppc
	shellcheck
	socat
	strace
	valgrind'

case $#${1-} in
1build) packages=$build ;;
1demo) packages=$build$demo ;;
1test) packages=$build$demo$test$upload ;;
*)
	echo "usage: install-packages.sh build|demo|test" >&2
	exit 2
	;;
esac

if ! command -v apt-get >/dev/null; then
	echo "install-packages.sh: no apt-get here; install what Debian calls:$packages" >&2
	exit 1
fi

sudo=''
[ "$(id -u)" = 0 ] || sudo=sudo

$sudo apt-get -q update
# shellcheck disable=SC2086 # words
$sudo env DEBIAN_FRONTEND=noninteractive \
	apt-get -qy --no-install-recommends install $packages </dev/null
