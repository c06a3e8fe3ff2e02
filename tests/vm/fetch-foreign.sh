#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#	fetch-foreign.sh KERNEL
#
# Fetches a kernel of Debian for another CPU, and the static busybox for it: downloaded and
# unpacked, never installed, with a state of apt's own, so that the system does not learn of a
# foreign architecture. What the system's sources and proxies are is left as it is. Prints
#
#	release=6.1.0-56-arm64
#	kernel=/.../vmlinuz             or vmlinux, whichever the architecture boots
#	busybox=/.../busybox
#
# The cache and the exit status are fetch-kernel.sh's. The kernels:
kernels='
# KERNEL      ARCHITECTURE  SUITE   PACKAGE
arm64         arm64         -       linux-image-arm64
arm64-16k     arm64         trixie  linux-image-arm64-16k
armhf         armhf         -       linux-image-armmp
armhf-lpae    armhf         -       linux-image-armmp-lpae
i386          i386          -       linux-image-686
i386-pae      i386          -       linux-image-686-pae
ppc64el       ppc64el       -       linux-image-powerpc64le
riscv64       riscv64       trixie  linux-image-riscv64
s390x         s390x         -       linux-image-s390x
'
# SUITE: - is what the system has, Debian 12; others are for what only came later.
set -eu

row=$(echo "$kernels" | awk -v kernel="${1-}" '$1 == kernel && NF == 4 && !/^#/')
if [ $# != 1 ] || [ -z "$row" ]; then
	echo "usage: fetch-foreign.sh $(echo "$kernels" | awk 'NF == 4 && !/^#/ {
		printf "%s%s", n++ ? "|" : "", $1 }')" >&2
	exit 2
fi
# shellcheck disable=SC2086 # words
set -- $row
kernel=$1 architecture=$2 suite=$3 meta=$4

# shellcheck source=fetch-common.sh
. "${0%/*}/fetch-common.sh"

# Debian's own archive, among those that the system uses.
archive() {
	# shellcheck disable=SC2016 # not the shell's
	apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
		awk '$1 == "Debian" && !/security/ { print $2; exit }'
}

# What apt knows of the architecture, in $work, gone with it.
learn() {
	command -v apt-get >/dev/null || skip "this system has no apt-get"
	state=$work/apt
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	: >"$state/status"
	apt_options="-o Dir::State=$state -o Dir::State::status=$state/status
		-o Dir::State::lists=$state/lists -o Dir::Cache=$state/cache
		-o APT::Architecture=$architecture -o APT::Architectures::=$architecture
		-o Acquire::Languages=none"
	if [ "$suite" != - ]; then
		keys=/usr/share/keyrings/debian-archive-keyring.gpg
		echo "deb [signed-by=$keys] $(archive) $suite main" >"$state/sources.list"
		apt_options="$apt_options -o Dir::Etc::sourcelist=$state/sources.list
			-o Dir::Etc::sourceparts=/dev/null"
	fi
	# One mirror that is out of step is no reason to give up: apt goes by the other indexes.
	apt apt-get update >&2 || echo "fetch-foreign.sh: apt-get update has failed in part" >&2
}

fetch() {
	learn
	package=$(dependency "$meta")
	[ -n "$package" ] || skip "apt knows no $meta for $architecture"
	release=${package#linux-image-}
	tree=$work/foreign/$kernel
	mkdir -p "$tree" "$work/tree"

	download busybox-static
	dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work/tree"
	busybox=$(find "$work/tree" -type f -path '*/bin/busybox')
	mv "$busybox" "$tree/busybox"

	download "$package"
	dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work/tree"
	mv "$(find "$work/tree/boot" -name 'vmlinu[xz]-*')" "$tree/kernel"
	echo "$release" >"$tree/release"
	publish "foreign/$kernel" release
}

place=$cache/foreign/$kernel
[ -e "$place/release" ] || fetch
echo "release=$(cat "$place/release")"
for file in kernel busybox; do
	echo "$file=$place/$file"
done
