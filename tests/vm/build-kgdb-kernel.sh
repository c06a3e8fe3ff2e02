#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds a small kernel with kgdb, which Debian's own kernels are without, from the sources of
# Debian's kernel, which are downloaded and unpacked, never installed. What it has is in
# kgdb-kernel.config. Prints
#
#	release=6.1.192-kgdb
#	vmlinuz=/.../vmlinuz
#	symbols=/.../System.map
#
# The cache and the exit status are fetch-kernel.sh's. It is built once, and again when its
# configuration has changed.
set -eu

if [ $# != 0 ]; then
	echo "usage: build-kgdb-kernel.sh" >&2
	exit 2
fi

nothing='no kernel with kgdb'
wanted=$(cd "${0%/*}" && pwd)/kgdb-kernel.config
# shellcheck source=fetch-common.sh
. "${0%/*}/fetch-common.sh"
place=$cache/kgdb

# Says what is missing before 140 MB are downloaded for nothing.
need_tools() {
	[ "$(uname -m)" = x86_64 ] || skip "it is built on x86_64 only"
	for tool in bc bison flex gcc make perl xz; do
		command -v $tool >/dev/null || skip "$tool is not installed"
	done
	# objtool, which is built along and run
	echo '#include <libelf.h>' | gcc -E - >/dev/null 2>&1 || skip "libelf-dev is not installed"
}

# What is a third of the sources, and no part of this kernel; their Kconfig files are.
unpack() {
	download linux-source-6.1
	mkdir "$work/source"
	dpkg-deb --fsys-tarfile "$work"/*.deb | tar -xO --wildcards '*/linux-source-*.tar.xz' |
		tar -xJ -C "$work/source" --strip-components=1 \
			--exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/media/*.[ch]' \
			--exclude='*/drivers/net/*.[ch]' --exclude='*/sound/*.[ch]' \
			--exclude='*/Documentation/*.rst' --exclude='*/Documentation/*.yaml' \
			--exclude='*/tools/testing' --exclude='*.dts' --exclude='*.dtsi'
	rm "$work"/*.deb
}

# Options that depend on others are left out without a word.
check_config() {
	grep '^CONFIG' "$wanted" | while read -r line; do
		grep -qxF "$line" "$work/source/.config" || {
			echo "build-kgdb-kernel.sh: the kernel cannot have $line" >&2
			exit 1
		}
	done
}

build() {
	need_tools
	unpack
	# Its own makefiles are not to see the options of the make that started us.
	unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC CFLAGS LDFLAGS CPPFLAGS ARCH
	make -s -C "$work/source" KCONFIG_ALLCONFIG="$wanted" allnoconfig >&2
	check_config
	make -s -C "$work/source" -j"$(nproc)" bzImage >&2

	mkdir "$work/kgdb"
	make -s -C "$work/source" kernelrelease >"$work/kgdb/release"
	cp "$work/source/arch/x86/boot/bzImage" "$work/kgdb/vmlinuz"
	cp "$work/source/System.map" "$wanted" "$work/kgdb/"
	rm -rf "$place"
	publish kgdb vmlinuz
}

cmp -s "$wanted" "$place/kgdb-kernel.config" || build
echo "release=$(cat "$place/release")"
echo "vmlinuz=$place/vmlinuz"
echo "symbols=$place/System.map"
