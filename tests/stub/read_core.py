#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks a core of the machine in x86_64.machine, byte for byte: an ELF core, or kdump-zlib.

    read_core.py [--only START-END] CORE [START-END]...

The memory that the core must have is computed as the stub computes it. Stretches that are given (END is
the first byte behind) must be zero instead. With --only, the core must have no other memory, to the
byte.
"""

import argparse
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))
from elfcore import NT_PRSTATUS, ElfCore  # noqa: E402
from kdumpcore import SIGNATURE, KdumpCore  # noqa: E402

RAM = [(0x0, 0xA0000), (0x100000, 0x400000)]
ZERO = [(0x1000, 0x2000)]
CPUS = 2
# Offsets into the registers of NT_PRSTATUS, which begin at 112.
REGISTERS_AT, RIP, RAX, RBX, R15 = 112, 16 * 8, 10 * 8, 5 * 8, 0


def pattern(start, end):
    """The stub's memory_pattern(), for whole words."""
    words = ((at // 8 + 1) * 0x9E3779B97F4A7C15 & (1 << 64) - 1 for at in range(start, end, 8))
    return b"".join(struct.pack("<Q", word) for word in words)


def expected_memory(zero):
    expected = bytearray(0x400000)
    for start, end in RAM:
        expected[start:end] = pattern(start, end)
    for start, end in ZERO + zero:
        expected[start:end] = bytes(end - start)
    return bytes(expected)


def segments(core, data):
    """The memory of an ELF core, as pairs of an address and the bytes there."""
    for segment in core.loads:
        if segment.memsz != segment.filesz:
            sys.exit(f"memory behind {segment.paddr + segment.filesz:#x} is not in the file")
        yield segment.paddr, data[segment.offset : segment.offset + segment.filesz]


def check_memory(memory, expected, only):
    covered = bytearray(0x400000)
    for start, found in memory:
        end = start + len(found)
        if found != expected[start:end]:
            first = next(i for i, byte in enumerate(found) if byte != expected[start + i])
            sys.exit(f"memory at {start + first:#x} is wrong")
        covered[start:end] = b"\1" * len(found)
    wanted = bytearray(0x400000)
    for start, end in RAM:
        start, end = max(start, only[0]), min(end, only[1])
        if start < end:
            wanted[start:end] = b"\1" * (end - start)
    if covered != wanted:
        sys.exit("the core does not have what is RAM, or more")


def check_registers(core):
    notes = core.named("CORE", NT_PRSTATUS)
    if len(notes) != CPUS:
        sys.exit(f"{len(notes)} notes of registers")
    for cpu, note in enumerate(notes, 1):
        for offset, value in (
            (RAX, 0xFFFF000000000000 + cpu * 0x100),
            (RBX, 0xFFFF000000000001 + cpu * 0x100),
            (R15, 0xFFFF00000000000F + cpu * 0x100),
            (RIP, 0xFFFFFFFF81000000 + cpu),
        ):
            (found,) = struct.unpack_from("<Q", note.desc, REGISTERS_AT + offset)
            if found != value:
                sys.exit(f"vCPU {cpu}: {found:#x} at {offset}, not {value:#x}")


def stretch(text):
    start, _, end = text.partition("-")
    return int(start, 16), int(end, 16)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("core")
    parser.add_argument("--only", type=stretch, default=(0, 0x400000))
    parser.add_argument("zero", type=stretch, nargs="*")
    arguments = parser.parse_args()
    data = Path(arguments.core).read_bytes()
    if data.startswith(SIGNATURE):
        core = KdumpCore(data)
        memory = ((frame * core.block, core.page(frame)) for frame in core.held)
    else:
        core = ElfCore(arguments.core)
        memory = segments(core, data)
    check_memory(memory, expected_memory(arguments.zero), arguments.only)
    check_registers(core)


main()
