#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#	tests/demo.sh
#
# rspdump at work, from nothing, in about two minutes: installs what is needed (Debian, as root or
# by sudo), builds in build/, boots a small Linux in QEMU, takes its core through the gdb stub while
# it runs, and opens it. Shows the commands it runs. The core stays in build/demo/.
set -eu

cd "$(dirname "$0")/.."
mkdir -p build/demo
BUILD_DIR=$(pwd)/build
export BUILD_DIR
log=build/demo/log
qemu=''

clean_up() {
	[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || :
	rm -f build/demo/gdb
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

say() {
	printf '\n== %s\n' "$*"
}

# show COMMAND...: the command as one would type it, and what it prints
show() {
	echo "\$ $*"
	"$@"
}

# quietly COMMAND...: the same for what nobody wants to read, unless it fails
quietly() {
	echo "\$ $*"
	"$@" >"$log" 2>&1 || {
		status=$?
		tail -n 30 "$log"
		echo "demo.sh: this failed: $*" >&2
		exit "$status"
	}
}

configure() (
	cd build && ../configure
)

say "Build"
quietly tests/install-packages.sh demo
echo "\$ cd build && ../configure"
configure >"$log" 2>&1 || {
	tail -n 30 "$log"
	exit 1
}
quietly make -C build -j"$(nproc)" rspdump

say "Boot a guest with a gdb stub"
kernel=$(tests/vm/fetch-kernel.sh) || {
	echo "$kernel"
	exit 1
}
release=$(echo "$kernel" | sed -n 's/^release=//p')
vmlinuz=$(echo "$kernel" | sed -n 's/^vmlinuz=//p')
tests/vm/make-initrd.sh build/demo/initrd
rm -f build/demo/console build/demo/gdb
command="qemu-system-x86_64 -nodefaults -display none -smp 2 -m 256M -kernel $vmlinuz \
-initrd build/demo/initrd -append console=ttyS0 -serial file:build/demo/console \
-gdb unix:build/demo/gdb,server=on,wait=off"
echo "\$ $command &"
$command 2>build/demo/qemu.log &
qemu=$!

wait_for() {
	seconds=0
	until grep -q "$1" build/demo/console 2>/dev/null; do
		if ! kill -0 "$qemu" 2>/dev/null || [ "$seconds" -ge 120 ]; then
			cat build/demo/qemu.log
			echo "demo.sh: the guest has not said: $1" >&2
			exit 1
		fi
		sleep 1
		seconds=$((seconds + 1))
	done
}
wait_for 'rspdump-guest: ready'
grep 'Linux version' build/demo/console

say "Take its core"
show build/rspdump --force -o build/demo/vmcore unix:build/demo/gdb

say "The guest runs on"
shown=$(grep -c 'rspdump-guest: second' build/demo/console || :)
wait_for "rspdump-guest: second $((shown + 1))"
show tail -n 1 build/demo/console

say "What is in the core"
show build/rspdump info build/demo/vmcore
show readelf -lW build/demo/vmcore
show crash --osrelease build/demo/vmcore

say "Done: the core is build/demo/vmcore"
echo "With the kernel's symbols (package linux-image-$release-dbg), open it by"
echo "    crash /usr/lib/debug/boot/vmlinux-$release build/demo/vmcore"
