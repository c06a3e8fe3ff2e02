#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
#	make-initrd.sh OUTPUT [MODULE.ko]...
#
# Makes the root file system of a test guest: Debian's static busybox, an /init, and the kernel
# modules named, which /init loads in this order. /init says on the console when it is ready
# ("rspdump-guest: ready") and then counts seconds there, so that one can see whether the guest
# runs. With the word rspdump.panic on the kernel's command line it makes the kernel panic instead.
# With rspdump.fill it first puts memory to each of the uses that a dump level knows: page cache of
# /dev/vda, clean and written to, files in a tmpfs, anonymous memory in small and in huge pages, and
# hugetlbfs, some of it free.
# With rspdump.kgdb it enters kgdb behind each second that it has counted.
# With rspdump.use=MIB it puts files into a tmpfs until so much memory is in use.
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

case " $(cat /proc/cmdline) " in
*" rspdump.fill "*)
	. /fill
	;;
esac

for word in $(cat /proc/cmdline); do
	case $word in
	rspdump.use=*)
		mkdir -p /use
		mount -t tmpfs -o size=100% use /use
		total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
		free=$(sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo)
		dd if=/dev/urandom of=/use/file bs=64k count=$(((${word#*=} * 1024 - total + free) / 64)) 2>/dev/null
		;;
	esac
done

# What a dump must not miss: the newest lines of the kernel's log.
echo "rspdump-guest: in the kernel log" >/dev/kmsg

# What the kernel itself says of what a core must hold.
echo "rspdump-guest: release $(uname -r)"
for word in s n r v m; do echo "rspdump-guest: uname $(uname -$word)"; done
echo "rspdump-guest: vmcoreinfo $(cat /sys/kernel/vmcoreinfo)"
grep 'System RAM' /proc/iomem | while read -r range _; do echo "rspdump-guest: ram $range"; done

echo "rspdump-guest: free $(sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo)"

kgdb=false
case " $(cat /proc/cmdline) " in
*" rspdump.kgdb "*) kgdb=true ;;
esac

echo "rspdump-guest: ready"
second=0
while sleep 1; do
	second=$((second + 1))
	echo "rspdump-guest: second $second"
	! $kgdb || echo g >/proc/sysrq-trigger
done
EOF
chmod +x "$root/init"

cat >"$root/fill" <<'EOF'
mkdir /dev/shm /huge
mount -t tmpfs shm /dev/shm
dd if=/dev/urandom of=/dev/shm/file bs=64k count=64 2>/dev/null
# Files that are gone again leave holes among the pages that are in use.
for n in $(seq 64); do
	dd if=/dev/urandom of=/dev/shm/$n bs=4k count=5 2>/dev/null
done
for n in $(seq 1 2 64); do
	rm /dev/shm/$n
done

# A dd that waits for its pipe to be read keeps what it has read: anonymous memory of that size.
hold() {
	mkfifo /dev/shm/fifo.$1
	sleep 1000000 <>/dev/shm/fifo.$1 &
	dd if=/dev/urandom of=/dev/shm/fifo.$1 bs=$1 count=2 2>/dev/null &
}
echo never >/sys/kernel/mm/transparent_hugepage/enabled
hold 3M
sleep 1
echo always >/sys/kernel/mm/transparent_hugepage/enabled
hold 12M
sleep 1

echo 6 >/proc/sys/vm/nr_hugepages
mount -t hugetlbfs huge /huge
fallocate -l 8M /huge/file

if [ -b /dev/vda ]; then
	exec 9<>/dev/vda # the last who closes it takes its page cache along
	dd if=/dev/vda of=/dev/null bs=64k count=64 2>/dev/null
	dd if=/dev/urandom of=/dev/vda bs=4k seek=2048 count=300 2>/dev/null
fi
grep -E 'Huge|Anon|Cached|Buffers|MemFree|Slab' /proc/meminfo | while read -r line; do
	echo "rspdump-guest: $line"
done
EOF

# busybox is the only file of any size, and unpacking it costs an emulated CPU more than reading it.
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$output"
