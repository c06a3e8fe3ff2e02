#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#	make-initrd.sh OUTPUT [MODULE.ko]...
#
# Makes the root file system of a test guest: Debian's static busybox, an /init, and the kernel
# modules named, which /init loads in this order. /init says on the console when it is ready
# ("rspdump-guest: ready") and then counts seconds there, so that one can see whether the guest
# runs. With the word rspdump.panic on the kernel's command line it makes the kernel panic instead.
# BUSYBOX names the busybox of another CPU.
set -eu

if [ $# -lt 1 ]; then
	echo "usage: make-initrd.sh OUTPUT [MODULE.ko]..." >&2
	exit 2
fi
output=$1
shift

busybox=${BUSYBOX-$(command -v busybox)} || {
	echo "no root file system for the guests: busybox-static is not installed"
	exit 77
}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/modules"
cp "$busybox" "$root/bin/busybox"

for module in "$@"; do
	cp "$module" "$root/modules/"
	echo "insmod /modules/$(basename "$module")"
done >"$root/modules/load"

cat >"$root/init" <<'EOF'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec >/dev/console 2>&1
. /modules/load

case " $(cat /proc/cmdline) " in
*" rspdump.panic "*)
	echo "rspdump-guest: about to panic"
	echo c >/proc/sysrq-trigger
	;;
esac

# What a dump must not miss: the newest lines of the kernel's log.
echo "rspdump-guest: in the kernel log" >/dev/kmsg

# What the kernel itself says of what a core must hold.
echo "rspdump-guest: release $(uname -r)"
for word in s n r v m; do echo "rspdump-guest: uname $(uname -$word)"; done
echo "rspdump-guest: vmcoreinfo $(cat /sys/kernel/vmcoreinfo)"
grep 'System RAM' /proc/iomem | while read -r range _; do echo "rspdump-guest: ram $range"; done

echo "rspdump-guest: ready"
second=0
while sleep 1; do
	second=$((second + 1))
	echo "rspdump-guest: second $second"
done
EOF
chmod +x "$root/init"

# busybox is the only file of any size, and unpacking it costs an emulated CPU more than reading it.
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$output"
