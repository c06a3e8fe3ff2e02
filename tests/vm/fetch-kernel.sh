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

if [ -n "${RSPDUMP_CACHE-}" ]; then
	cache=$RSPDUMP_CACHE
elif [ -n "${BUILD_DIR-}" ]; then
	cache=$BUILD_DIR/cache
else
	echo "fetch-kernel.sh: set RSPDUMP_CACHE or BUILD_DIR" >&2
	exit 2
fi
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
kernel=$cache/kernel

skip() {
	echo "no kernel for the guests: $*"
	exit 77
}

# What is half done lies in here, so that the cache only ever holds what is whole.
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# download PACKAGE[=VERSION]: leaves exactly one .deb in $work. As root, apt would download as the
# user _apt, who may not write to our directory.
download() {
	command -v apt-get >/dev/null || skip "this system has no apt-get"
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$1" >&2) ||
		skip "apt-get cannot download $1 (has apt-get update run?)"
}

fetch_kernel() {
	meta=linux-image-cloud-amd64
	package=$(apt-cache --no-all-versions show "$meta" 2>/dev/null |
		sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\).*/\1/p')
	[ -n "$package" ] || skip "apt knows no $meta (has apt-get update run?)"
	download "$package"

	release=${package#linux-image-}
	mkdir "$work/tree" "$work/kernel" "$work/kernel/modules"
	dpkg-deb --extract "$work"/*.deb "$work/tree"
	dpkg-deb --field "$work"/*.deb Version >"$work/kernel/version"
	echo "$release" >"$work/kernel/release"
	mv "$work/tree/boot/vmlinuz-$release" "$work/kernel/vmlinuz"
	find "$work/tree/lib/modules" -name '*.ko*' -exec mv -t "$work/kernel/modules" {} +
	rm -f "$work"/*.deb
	# Somebody else may have been faster; theirs is as good.
	mv -T "$work/kernel" "$kernel" 2>/dev/null || [ -e "$kernel/vmlinuz" ]
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
