# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine of any CPU without a guest: fresh from reset, its vCPUs never run. Memory and registers
are as the test says, and our core and QEMU's own of the same machine must not differ but where the
test says so.

    def story(directory):
        patterns = {0x1000: b"low", 0x100000000: pattern(0x2000)}
        with Machine(directory, "qemu-system-riscv64", machine="virt", patterns=patterns) as m:
            for cpu in range(2):
                m.set_registers(cpu, {"pc": 0x80000000 + cpu, "x1": 0x1122334455667788})
            ours, theirs = m.cores("elf")
            for address, data in patterns.items():
                check_equal(ours.read(address, len(data)), data, f"memory at {address:#x}")
            check_headers(ours, theirs)
            check_memory(ours, theirs)
            check_notes(ours, theirs, [
                Difference("CORE", NT_PRSTATUS, 0x20, 4, lambda cpu: cpu + 1, 0, "no pr_pid here"),
            ])
            check_kdumps(*m.kdumps(), ours)

    tell(story)

Values of registers and of differences are numbers, or bytes as they lie in the core. Where QEMU has
no dump for a CPU, dump_ours() and the constants of the test have to do.
"""

import struct
from dataclasses import dataclass

import kdumpfile
from compare_cores import merge, open_core, page_ranges
from elfcore import PT_LOAD, PT_NOTE, ElfCore
from gdbclient import GdbClient
from harness import check, check_equal, rspdump
from kdumpcore import FORM_32_PADDED, KdumpCore, rearrange
from qemu import Qemu

PIECE = 1 << 20  # bytes that are compared at once


def pattern(size, seed=1):
    """Bytes that tell from their values where they lie and whose they are."""
    words = (size + 7) // 8
    return b"".join(struct.pack(">II", seed, n) for n in range(words))[:size]


class Machine(Qemu):
    """See the module. The options:

    machine, cpu, memory   as QEMU takes them; None leaves its default
    cpus                   how many
    patterns               a dict from physical addresses to bytes that lie there
    extra                  more of QEMU's command line
    """

    def __init__(
        self,
        directory,
        program,
        machine=None,
        cpu=None,
        memory="64M",
        cpus=2,
        patterns=None,
        extra=(),
    ):
        arguments = ["-S", "-smp", str(cpus), "-m", memory]
        for option, value in (("-machine", machine), ("-cpu", cpu)):
            if value:
                arguments += [option, value]
        for address, data in (patterns or {}).items():
            file = directory / f"pattern-{address:x}"
            file.write_bytes(data)
            arguments += ["-device", f"loader,file={file},addr={address:#x},force-raw=on"]
        super().__init__(directory, program, [*arguments, *extra])

    def set_registers(self, cpu, values, order="little"):
        """Sets registers of a vCPU through the stub, in the order of the dict.

        Numbers are sent in this byte order, "little" or "big". Whether a register has taken its
        value shows in the core, or by get_register().
        """
        with GdbClient(self.gdb) as client:
            known = client.registers()
            client.select(cpu)
            for name, value in values.items():
                if isinstance(value, int):
                    value = value.to_bytes(known[name].size, order)
                client.set_register(known[name], value)

    def get_register(self, cpu, name):
        """Bytes, as the stub has them."""
        with GdbClient(self.gdb) as client:
            known = client.registers()
            client.select(cpu)
            return client.get_register(known[name])

    def dump_ours(self, name="core", *options):
        """Takes a core of all memory that QEMU takes, by our program, over what is there;
        returns its path."""
        path = self._directory / name
        rspdump("--force", "--after", "stop", "--ram", "all", *options, "-o", path, self.gdb)
        return path

    def dump_theirs(self, name="qemus", **options):
        path = self._directory / name
        self.dump(path, **options)
        return path

    def cores(self, name="elf"):
        """ELF cores, ours and QEMU's."""
        return (
            ElfCore(self.dump_ours(f"{name}.ours")),
            ElfCore(self.dump_theirs(f"{name}.theirs")),
        )

    def kdumps(self):
        """Paths of kdump-zlib cores, ours and QEMU's, both raw."""
        ours = self.dump_ours("kdump.ours", "-F", "kdump-zlib")
        # QEMU up to 8.1 only knows the flattened form, which libkdumpfile 0.5.1 does not read.
        theirs = self.dump_theirs("kdump.theirs", format="kdump-zlib")
        theirs.write_bytes(rearrange(theirs.read_bytes()))
        return ours, theirs


@dataclass
class Difference:
    """What a note is meant to have otherwise than QEMU's, at an offset into its descriptor.

    ours, theirs: a number, bytes, or a function that gives one of these by the vCPU's index. They
    are the same on no more than some of the vCPUs.
    """

    note: str
    type: int
    offset: int
    size: int
    ours: object
    theirs: object
    reason: str

    def matches(self, note):
        return (note.name, note.type) == (self.note, self.type)

    def values(self, cpu, order):
        """What ours and theirs must be, as bytes."""
        for value in (self.ours, self.theirs):
            value = value(cpu) if callable(value) else value
            if isinstance(value, int):
                value = value.to_bytes(self.size, {"<": "little", ">": "big"}[order])
            yield value


def check_headers(ours, theirs, **differences):
    """The ELF header and the program headers, of ElfCores.

    differences: fields of the header that are meant to differ, as name=(ours, theirs).
    """
    sizes = {1: (52, 32), 2: (64, 56)}[ours.elf_class]
    for name in ("ident", "type", "machine", "version", "entry", "flags", "phentsize"):
        pair = getattr(ours.header, name), getattr(theirs.header, name)
        expected = differences.get(name, (pair[1], pair[1]))
        check_equal(pair, expected, f"e_{name} of ours and QEMU's")
    check_equal(ours.header.ehsize, sizes[0], "e_ehsize")
    check_equal(ours.header.phoff, sizes[0], "e_phoff, where makedumpfile takes it to be")
    check_equal(ours.header.phentsize, sizes[1], "e_phentsize")
    check_equal((ours.header.shoff, ours.header.shnum), (0, 0), "e_shoff and e_shnum")
    types = [segment.type for segment in ours.segments]
    check_equal(types, [PT_NOTE] + [PT_LOAD] * (len(types) - 1), "p_type of the segments")
    check_equal({segment.align for segment in ours.segments}, {0}, "p_align")
    notes = ours.segments[0]
    check(notes.offset + notes.filesz <= min(s.offset for s in ours.loads), "memory before notes")
    for load in ours.loads:
        check_equal(load.memsz, load.filesz, f"p_memsz of {load}")
        check(load.offset + load.filesz <= ours.size, f"{load} ends behind the end of the file")


def check_memory(ours, theirs, mapped=False):
    """All of the physical memory. mapped: our core has virtual addresses that QEMU's has not."""
    check_equal(ours.memory(), theirs.memory(), "the ranges of memory")
    if not mapped:
        for load in ours.loads:
            check_equal(load.vaddr, load.paddr, f"p_vaddr of {load}")
    for address, data in theirs.pieces(PIECE):
        check(
            ours.read(address, len(data)) == data, f"the memory differs behind {address:#x}"
        )


def check_notes(ours, theirs, differences=(), only_ours=()):
    """Every byte of every note, of ElfCores: equal, but for the Differences, which must be there.

    only_ours: (name, type) of notes that QEMU does not write.
    """
    extra = [note for note in ours.notes if (note.name, note.type) in only_ours]
    check_equal({(note.name, note.type) for note in extra}, set(only_ours), "notes of ours alone")
    compared = [note for note in ours.notes if note not in extra]
    check_equal(
        [(note.name, note.type) for note in compared],
        [(note.name, note.type) for note in theirs.notes],
        "the notes' names and types",
    )
    real = set()
    seen = {}
    for a, b in zip(compared, theirs.notes):
        cpu = seen[a.name, a.type] = seen.get((a.name, a.type), -1) + 1
        what = f"note {a.name} {a.type:#x} of CPU {cpu}"
        check_equal(len(a.desc), len(b.desc), f"size of {what}")
        expected = bytearray(b.desc)
        for n, difference in enumerate(differences):
            if not difference.matches(a):
                continue
            our_value, their_value = difference.values(cpu, ours.order)
            at = slice(difference.offset, difference.offset + difference.size)
            check_equal(b.desc[at], their_value, f"QEMU's {what} at {at.start:#x}")
            expected[at] = our_value
            if our_value != their_value:
                real.add(n)
        wrong = [n for n in range(len(expected)) if expected[n] != a.desc[n]]
        check(
            not wrong,
            f"{what} at {', '.join(f'{n:#x}' for n in wrong[:16])}:\n"
            f"expected {expected.hex(' ', 4)}\ngot      {a.desc.hex(' ', 4)}",
        )
    for n, difference in enumerate(differences):
        check(n in real, f"not a difference: {difference}")


def check_kdumps(ours, theirs, elf, our_start=0, their_start=0, padded=False):
    """All pages of two kdump files, by their paths, are those of an ElfCore, as libkdumpfile reads.

    our_start, their_start: the address that page frames are counted from.
    padded: our headers have 64-bit integers aligned in 32-bit ones, which libkdumpfile up to 0.5.1
    does not know: the project's own reader reads them.
    """
    if padded:
        check_kdump_alone(ours, elf, our_start)
    else:
        check_kdump(ours, "our", elf, our_start)
    check_kdump(theirs, "QEMU's", elf, their_start)


def page_frames(elf, start, page):
    return merge(
        ((first - start) // page, (first - start + size + page - 1) // page)
        for first, size in elf.memory()
    )


def check_kdump(path, what, elf, start):
    core = open_core(path)
    frames = page_frames(elf, start, core.attr["arch.page_size"])
    check_equal(page_ranges(path, core), frames, f"the page frames of {what} kdump file")
    for address, data in elf.pieces(PIECE):
        check(
            core.read(kdumpfile.KDUMP_MACHPHYSADDR, address - start, len(data)) == data,
            f"{what} kdump file differs from the ELF core behind {address:#x}",
        )


def check_kdump_alone(path, elf, start):
    core = KdumpCore(path.read_bytes(), from_phys_base=True)
    check_equal(core.start, start, "phys_base of our kdump file")
    check_equal((core.form, core.order), (FORM_32_PADDED, elf.order), "the form of its headers")
    frames = page_frames(elf, start, core.block)
    for bitmap in (core.ram, core.held):
        check_equal(merge((n, n + 1) for n in bitmap), frames, "the page frames of our kdump file")
    check_equal(core.max_mapnr, frames[-1][1], "max_mapnr of our kdump file")
    check_equal(core.notes, elf.notes, "the notes of our kdump file")
    for address, data in elf.pieces(PIECE):
        check(
            core.read(address, len(data)) == data,
            f"our kdump file differs from the ELF core behind {address:#x}",
        )
