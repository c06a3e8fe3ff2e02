/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU 7.2 with a small guest, in the words of the scripted stub (tests/stub/description.c): two
 * vCPUs, 128 KiB of RAM at 0, 192 KiB at 1 MiB, and 128 KiB of ROM that end where those begin. No
 * kernel is in it. What a test adds behind it wins.
 */
#ifndef TESTS_UNIT_SMALL_GUEST_H
#define TESTS_UNIT_SMALL_GUEST_H

#define SMALL_GUEST_REGISTERS                                                       \
	"object features:target.xml <<\n"                                           \
	"<target><architecture>i386:x86-64</architecture><feature name=\"core\">\n" \
	"<reg name=\"rax\" bitsize=\"64\"/><reg name=\"rip\" bitsize=\"64\"/>\n"    \
	"<reg name=\"eflags\" bitsize=\"32\"/></feature></target>\n"                \
	".\n"                                                                       \
	"thread p01.01\n"                                                           \
	"thread p01.02\n"                                                           \
	"registers 1 8877665544332211 00000081ffffffff 46020000\n"                  \
	"registers 2 0100000000000000 fecaadde00000000 02000000\n"

#define SMALL_GUEST_MTREE                                                               \
	"monitor info mtree -f = <<\n"                                                  \
	"FlatView #0\n"                                                                 \
	" AS \"memory\", root: system\n"                                                \
	" Root memory region: system\n"                                                 \
	"  0000000000000000-000000000001ffff (prio 0, ram): pc.ram\n"                   \
	"  00000000000e0000-00000000000fffff (prio 1, rom): pc.bios\n"                  \
	"  0000000000100000-000000000012ffff (prio 0, ram): pc.ram @0000000000100000\n" \
	"\n"                                                                            \
	".\n"

#define SMALL_GUEST                                                                       \
	"supported PacketSize=1000;QStartNoAckMode+;qXfer:features:read+;multiprocess+\n" \
	"physical 0\n"                                                                    \
	"monitor info version = 7.2.22\n"                                                 \
	"monitor info status = VM status: paused\n"                                       \
	"monitor info registers -a = CPU#0\n" SMALL_GUEST_REGISTERS SMALL_GUEST_MTREE     \
	"memory 0 20000\n"                                                                \
	"memory e0000 50000\n"

/* A VMCOREINFO of 42 bytes that no kernel contradicts: "memory ADDR " SMALL_GUEST_NOTE. */
#define SMALL_GUEST_VMCOREINFO "OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(x)=1\n"
#define SMALL_GUEST_NOTE                                          \
	"42 0b000000 2a000000 00000000 564d434f5245494e464f0000 " \
	"4f5352454c454153453d362e312e300a 5041474553495a453d343039360a 53594d424f4c2878293d310a\n"

/* QEMU up to 8.0 says so by itself if the guest ran until somebody came. */
#define SMALL_GUEST_RAN "unsolicited T05thread:p01.01;\n"

enum {
	SMALL_GUEST_LOW = 0x20000,
	SMALL_GUEST_ROM = 0xe0000,
	SMALL_GUEST_ROM_SIZE = 0x20000,
	SMALL_GUEST_HIGH = 0x100000,
	SMALL_GUEST_HIGH_SIZE = 0x30000,
};

#endif
