#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the notes of an x86-64 core with those of QEMU's own dump of the same stopped guest.

    compare_notes.py OURS QEMUS

Every NT_PRSTATUS, every "QEMU" note and VMCOREINFO must be there in the same order with the same
bytes. Prints each difference with its offset and the field it lies in. Exit status: 0 if there is
none, 1 if there is one, 2 if a core cannot be read.

Two things are expected to differ. Under TCG, QEMU keeps the condition codes and the direction flag
apart from env->eflags, and its NT_PRSTATUS (target/i386/arch_dump.c) holds env->eflags as it is,
without them. Its "QEMU" note has the flags put together, as the gdb stub gives them; so our
pr_reg.eflags must equal QEMU's rflags there.

And the flags of a segment are the high word of its descriptor, whose outer bytes repeat a part of
the base. TCG keeps them in there, KVM does not, and `info registers` (cpu_x86_dump_seg_cache() in
target/i386/cpu-dump.c), all that anybody at the stub can ask, never shows them. They do not count.

A kernel that never told QEMU of its VMCOREINFO leaves QEMU's dump without that note. It is then
not compared; whether ours is right must be checked elsewhere.
"""

import struct
import sys

from elfcore import NT_PRSTATUS, ElfCore

REGISTERS = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss"
    " fs_base gs_base ds es fs gs"
).split()
SEGMENTS = "cs ds es fs gs ss ldt tr gdt idt".split()
SEGMENT_FIELDS = (("selector", 4), ("limit", 4), ("flags", 4), ("pad", 4), ("base", 8))


def fields(*sizes):
    """(name, size)... as a list of (offset, size, name)."""
    result = []
    offset = 0
    for name, size in sizes:
        result.append((offset, size, name))
        offset += size
    return result


# struct elf_prstatus of x86-64.
PRSTATUS = fields(
    ("si_signo", 4),
    ("si_code", 4),
    ("si_errno", 4),
    ("pr_cursig", 4),
    ("pr_sigpend", 8),
    ("pr_sighold", 8),
    ("pr_pid", 4),
    ("pr_ppid", 4),
    ("pr_pgrp", 4),
    ("pr_sid", 4),
    ("times", 64),
    *((f"pr_reg.{name}", 8) for name in REGISTERS),
    ("pr_fpvalid", 4),
    ("pad", 4),
)

# QEMUCPUState, version 1.
CPU_STATE = fields(
    ("version", 4),
    ("size", 4),
    *((name, 8) for name in "rax rbx rcx rdx rsi rdi rsp rbp".split()),
    *((f"r{n}", 8) for n in range(8, 16)),
    ("rip", 8),
    ("rflags", 8),
    *((f"{s}.{name}", size) for s in SEGMENTS for name, size in SEGMENT_FIELDS),
    *((f"cr{n}", 8) for n in range(5)),
    ("kernel_gs_base", 8),
)


def offset_of(layout, name):
    return next(offset for offset, _, field in layout if field == name)


EFLAGS = offset_of(PRSTATUS, "pr_reg.eflags")
RFLAGS = offset_of(CPU_STATE, "rflags")


def rflags(cpu_state):
    return struct.unpack_from("<Q", cpu_state, RFLAGS)[0]


def without_base(cpu_state):
    """A "QEMU" note with the segments' flags as `info registers` gives them."""
    result = bytearray(cpu_state)
    for segment in SEGMENTS:
        offset = offset_of(CPU_STATE, f"{segment}.flags")
        for outer in (offset, offset + 3):
            if outer < len(result):  # a note of the wrong size is told of by its size
                result[outer] = 0
    return result


def compare_note(what, ours, theirs, layout):
    """The differences of two descriptors, a line each."""
    if len(ours) != len(theirs):
        yield f"{what}: {len(ours)} bytes, not {len(theirs)}"
        return
    for offset, size, name in layout:
        a, b = ours[offset : offset + size], theirs[offset : offset + size]
        if a != b:
            a, b = (int.from_bytes(value, "little") for value in (a, b))
            yield f"{what}: {name} at {offset:#x}: {a:#x}, not {b:#x}"


def without_layout(desc):
    return [(offset, 1, "byte") for offset in range(len(desc))]


def compare(ours, theirs):
    """The differences of the notes of two ElfCores, a line each."""
    if not theirs.named("QEMU"):
        yield "the reference has no QEMU notes"
        return
    order = [(note.name, note.type) for note in ours.notes]
    expected = [(note.name, note.type) for note in theirs.notes]
    if theirs.vmcoreinfo() is None and ours.vmcoreinfo() is not None:
        expected.append(("VMCOREINFO", 0))
    if order != expected:
        yield f"the notes are {order}, not {expected}"
        return

    prstatus = zip(
        ours.named("CORE", NT_PRSTATUS), theirs.named("CORE", NT_PRSTATUS), theirs.named("QEMU")
    )
    for cpu, (a, b, state) in enumerate(prstatus):
        desc = bytearray(b.desc)
        struct.pack_into("<Q", desc, EFLAGS, rflags(state.desc))
        yield from compare_note(f"NT_PRSTATUS of CPU {cpu}", a.desc, desc, PRSTATUS)
    for cpu, (a, b) in enumerate(zip(ours.named("QEMU"), theirs.named("QEMU"))):
        yield from compare_note(
            f"QEMU note of CPU {cpu}", without_base(a.desc), without_base(b.desc), CPU_STATE
        )
    if theirs.vmcoreinfo() is not None:
        a, b = ours.vmcoreinfo(), theirs.vmcoreinfo()
        yield from compare_note("VMCOREINFO", a, b, without_layout(b))


def main():
    if len(sys.argv) != 3:
        print("usage: compare_notes.py OURS QEMUS", file=sys.stderr)
        return 2
    try:
        differences = list(compare(*map(ElfCore, sys.argv[1:])))
    except (OSError, ValueError, struct.error) as error:
        print(f"compare_notes.py: {error}", file=sys.stderr)
        return 2
    for line in differences:
        print(line)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
