/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's monitor shows of an x86 vCPU and its gdb stub does not: the hidden part of the
 * segment registers, the descriptor tables, the debug registers, the flags as they really are.
 * Private to arch/.
 */
#ifndef ARCH_X86_MONITOR_H
#define ARCH_X86_MONITOR_H

#include <stddef.h>

#include "arch/registers.h"

/*
 * Adds what the text of "info registers -a" tells of each vCPU to its registers: "cs" and, as
 * 8-byte values, "cs.base", "cs.limit" and "cs.flags", likewise for es ss ds fs gs ldt tr;
 * "gdt.base", "gdt.limit", "idt.base", "idt.limit"; "rflags"; "cr0" to "cr4"; "efer"; "dr0" to
 * "dr7". A register that is there already stays as it is: the stub knows it better. Returns the
 * number of vCPUs that got a register.
 */
size_t x86_monitor_read(const char *text, struct registers *cpus, size_t count);

#endif
