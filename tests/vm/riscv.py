# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of RISC-V machines share: registers, page tables, and what Linux looks like in them.

QEMU's own translation judges ours: in supervisor mode, its stub reads virtual addresses through the
same tables.
"""

import struct

from gdbclient import GdbClient
from harness import check, check_equal, step
from machine import (
    Machine,
    check_headers,
    check_kdumps,
    check_memory,
    check_notes,
    pattern,
)

EM_RISCV = 243
RAM, RAM_SIZE = 0x80000000, 64 << 20

# x1 to x31
GENERAL = (
    "ra sp gp tp t0 t1 t2 fp s1 a0 a1 a2 a3 a4 a5 a6 a7"
    " s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6"
).split()

V, R, W, X, G, A, D = 1, 2, 4, 8, 0x20, 0x40, 0x80
NAPOT = 1 << 63

TABLES, NOTE, ALLOCATED = RAM + 0xE00000, RAM + 0xF00000, RAM + 0xF01000
RELEASE = "6.6.6-test"


def registers(cpu, bits):
    values = {"pc": 0x80000123 + cpu * 2}
    for n, name in enumerate(GENERAL, 1):
        values[name] = (0xF0E1D2C3B4A50000 | cpu << 8 | n) & (1 << bits) - 1
    # Little-endian stays what it is: this is UBE, which QEMU takes from nobody.
    return values | {"mstatus": 1 << 6}


class Tables:
    """Page tables that lie one behind the other, the root first."""

    def __init__(self, base, bits, levels):
        self._base, self._levels = base, levels
        self._index_bits, self._format = (9, "<Q") if bits == 64 else (10, "<I")
        self._entry_size = struct.calcsize(self._format)
        self.bytes = bytearray(4096)

    def size(self, level):
        """Bytes that an entry of this level spans."""
        return 4096 << level * self._index_bits

    def map(self, level, vaddr, paddr, size, flags):
        for offset in range(0, size, self.size(level)):
            self._set(level, vaddr + offset, (paddr + offset) >> 12 << 10 | flags | V | A)

    def map_napot(self, vaddr, paddr, size, flags):
        """By pages of 64 KiB, which take sixteen equal entries each."""
        for offset in range(0, size, 4096):
            pfn = (paddr + offset) >> 16 << 4 | 8
            self._set(0, vaddr + offset, pfn << 10 | flags | V | A | NAPOT)

    def _set(self, level, vaddr, entry):
        table = 0
        for at in range(self._levels - 1, -1, -1):
            index = vaddr >> 12 + at * self._index_bits & (1 << self._index_bits) - 1
            where = table + index * self._entry_size
            if at == level:
                struct.pack_into(self._format, self.bytes, where, entry)
                return
            (raw,) = struct.unpack_from(self._format, self.bytes, where)
            if not raw:
                raw = (self._base + len(self.bytes)) >> 12 << 10 | V
                struct.pack_into(self._format, self.bytes, where, raw)
                self.bytes += bytes(4096)
            table = (raw >> 10 << 12) - self._base


def never_ran(directory, program, bits):
    """A machine without a guest: every byte of ours is QEMU's."""
    patterns = {
        RAM: pattern(0x3001),
        RAM + 0x1FFFF00: pattern(0x100, 2),
        RAM + RAM_SIZE - 1: b"!",
    }
    with Machine(
        directory,
        program,
        machine="virt",
        memory="64M",
        patterns=patterns,
        extra=["-bios", "none"],
    ) as machine:
        for cpu in range(2):
            machine.set_registers(cpu, registers(cpu, bits))
        mstatus = int.from_bytes(machine.get_register(0, "mstatus"), "little")
        check_equal(mstatus & 1 << 6, 0, "mstatus.UBE")

        step("ELF")
        ours, theirs = machine.cores()
        check_equal((ours.elf_class, ours.order), (bits // 32, "<"), "class and byte order")
        check_equal(ours.header.machine, EM_RISCV, "e_machine")
        check_headers(ours, theirs)
        check_memory(ours, theirs)
        for address, data in patterns.items():
            check_equal(ours.read(address, len(data)), data, f"memory at {address:#x}")
        check_notes(ours, theirs)

        step("kdump")
        check_kdumps(*machine.kdumps(), ours)


def uts_strings():
    strings = ("Linux", "host", RELEASE, "#1 SMP", "riscv", "(none)")
    return b"".join(s.encode().ljust(65, b"\0") for s in strings)


def vmcoreinfo(image):
    return (
        f"OSRELEASE={RELEASE}\nPAGESIZE=4096\nSYMBOL(init_uts_ns)={image + 0x400000:x}\n"
        f"OFFSET(uts_namespace.name)=16\nSYMBOL(_stext)={image + 0x2000:x}\n"
        f"SYMBOL(swapper_pg_dir)={image + 0x402000:x}\n"
    ).encode()


def kernel_patterns(tables, image, image_paddr, note_vaddr, bits):
    """4 MiB of code and what cannot be written to, then data: a name, a pointer to a note."""
    text = vmcoreinfo(image)
    note = struct.pack("<III", 11, len(text), 0) + b"VMCOREINFO\0\0" + text
    return {
        image_paddr: pattern(0x5000, 7),
        image_paddr + 0x400010: uts_strings(),
        image_paddr + 0x401008: note_vaddr.to_bytes(bits // 8, "little"),
        TABLES: bytes(tables.bytes),
        NOTE: note,
        ALLOCATED: pattern(0x2000, 8),
    }


def read_virtually(machine, vaddr, size):
    with GdbClient(machine.gdb) as client:
        client.ask("Qqemu.PhyMemMode:0")
        return bytes.fromhex(client.ask(f"m{vaddr:x},{size:x}"))


def with_kernel(directory, program, cpu, satp, tables, image, image_paddr, direct_map, bits):
    """What a kernel looks like in page tables; direct_map is the virtual address of RAM's start.

    The first vCPU runs in the kernel, the second has not been started.
    """
    patterns = kernel_patterns(tables, image, image_paddr, direct_map + NOTE - RAM, bits)
    directory.mkdir()
    with Machine(
        directory,
        program,
        machine="virt",
        cpu=cpu,
        memory="64M",
        patterns=patterns,
        extra=["-bios", "none"],
    ) as machine:
        # Supervisor mode may read what physical memory protection lets it.
        machine.set_registers(0, {"pmpaddr0": (1 << 30) - 1, "pmpcfg0": 0x1F})
        machine.set_registers(0, {"satp": satp, "priv": 1, "pc": image + 0x2004})
        ours, theirs = machine.cores()
        check_memory(ours, theirs, mapped=True)
        check_notes(ours, theirs, only_ours=[("VMCOREINFO", 0)])
        check_equal(ours.vmcoreinfo(), vmcoreinfo(image), "VMCOREINFO")

        in_direct_map = image - image_paddr == direct_map - RAM
        expected = {(direct_map, RAM, RAM_SIZE)}
        if not in_direct_map:
            expected.add((image, image_paddr, 0x800000))
        mapped = {(s.vaddr, s.paddr, s.memsz) for s in ours.loads if s.vaddr != s.paddr}
        check_equal(mapped, expected, "what has virtual addresses")

        # The firmware's part of the direct map is mapped by nobody.
        for vaddr, paddr in (
            (image, image_paddr),
            (image + 0x14321, image_paddr + 0x14321),
            (image + 0x400010, image_paddr + 0x400010),
            (direct_map + ALLOCATED - RAM, ALLOCATED),
            (direct_map + RAM_SIZE - 16, RAM + RAM_SIZE - 16),
        ):
            load = next(s for s in ours.loads if s.vaddr <= vaddr < s.vaddr + s.memsz)
            check_equal(load.paddr + vaddr - load.vaddr, paddr, f"where {vaddr:#x} is")
            check_equal(
                read_virtually(machine, vaddr, 16),
                ours.read(paddr, 16),
                f"memory at {vaddr:#x}, as QEMU translates it",
            )
        check(ours.read(image_paddr + 0x400010, 5) == b"Linux", "the kernel's name")
