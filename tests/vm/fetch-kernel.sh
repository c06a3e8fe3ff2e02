#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fetches the kernel that the test guests run: Debian's current cloud kernel, downloaded and
# unpacked, never installed. Prints where things are, as words that a shell can evaluate:
#
#	release=6.1.0-56-cloud-amd64
#	vmlinuz=/.../vmlinuz
#	modules=/.../modules            *.ko, all in one directory
#	vmlinux=/.../vmlinux            only with --debug
#
# What is in the cache ($RSPDUMP_CACHE, else $BUILD_DIR/cache) is taken from there, and nothing is
# asked of the network. Exit status 77: no kernel is to be had here, and the last line says why.
set -eu

usage() {
	echo "usage: fetch-kernel.sh [--debug]    (--debug: also vmlinux, a download of 280 MB)" >&2
	exit 2
}

want_debug=false
case $#${1-} in
0) ;;
1--debug) want_debug=true ;;
*) usage ;;
esac

# shellcheck source=fetch-common.sh
. "${0%/*}/fetch-common.sh"
kernel=$cache/kernel

fetch_kernel() {
	meta=linux-image-cloud-amd64
	package=$(dependency "$meta")
	[ -n "$package" ] || skip "apt knows no $meta (has apt-get update run?)"
	download "$package"

	release=${package#linux-image-}
	mkdir "$work/tree" "$work/kernel" "$work/kernel/modules"
	dpkg-deb --extract "$work"/*.deb "$work/tree"
	dpkg-deb --field "$work"/*.deb Version >"$work/kernel/version"
	echo "$release" >"$work/kernel/release"
	mv "$work/tree/boot/vmlinuz-$release" "$work/kernel/vmlinuz"
	find "$work/tree/lib/modules" -name '*.ko*' -exec mv -t "$work/kernel/modules" {} +
	publish kernel vmlinuz
}

# The debugging symbols belong to the one build that is in the cache.
fetch_vmlinux() {
	release=$(cat "$kernel/release")
	download "linux-image-$release-dbg=$(cat "$kernel/version")"
	dpkg-deb --fsys-tarfile "$work"/*.deb |
		tar -x -C "$work" "./usr/lib/debug/boot/vmlinux-$release"
	mv "$work/usr/lib/debug/boot/vmlinux-$release" "$kernel/vmlinux"
}

[ -e "$kernel/vmlinuz" ] || fetch_kernel
echo "release=$(cat "$kernel/release")"
echo "vmlinuz=$kernel/vmlinuz"
echo "modules=$kernel/modules"
if $want_debug; then
	[ -e "$kernel/vmlinux" ] || fetch_vmlinux
	echo "vmlinux=$kernel/vmlinux"
fi
