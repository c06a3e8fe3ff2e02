# SPDX-License-Identifier: GPL-2.0-or-later
"""An ELF core of either class and byte order, read by nobody's code but this: its headers, notes and
memory. Only what the tests look at, and only as the ELF specification has it; a file that is not so
raises ValueError or struct.error.
"""

import struct
from collections import namedtuple

# By the class, the order of the fields in a file; a byte order stands in front of them.
HEADERS = {1: "16sHHIIIIIHHHHHH", 2: "16sHHIQQQIHHHHHH"}
PROGRAM_HEADERS = {1: "IIIIIIII", 2: "IIQQQQQQ"}
PROGRAM_HEADER_FIELDS = {
    1: "type offset vaddr paddr filesz memsz flags align",
    2: "type flags offset vaddr paddr filesz memsz align",
}
ORDERS = {1: "<", 2: ">"}

# Of 64-bit little-endian ones
HEADER = struct.Struct("<" + HEADERS[2])
PROGRAM_HEADER = struct.Struct("<" + PROGRAM_HEADERS[2])
PT_LOAD, PT_NOTE = 1, 4
PN_XNUM = 0xFFFF  # the number of program headers is in sh_info of the first section header
SH_INFO = {1: 28, 2: 44}
NT_PRSTATUS = 1

Header = namedtuple(
    "Header",
    "ident type machine version entry phoff shoff flags ehsize phentsize phnum shentsize"
    " shnum shstrndx",
)
Segment = namedtuple("Segment", PROGRAM_HEADER_FIELDS[2])
Note = namedtuple("Note", "name type desc")


class ElfCore:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            ident = file.read(16)
            if ident[:4] != b"\x7fELF" or ident[4] not in HEADERS or ident[5] not in ORDERS:
                raise ValueError(f"{path} is no ELF file")
            self.elf_class = ident[4]
            self.order = ORDERS[ident[5]]  # as struct has it
            self.header = Header(*self._read(file, 0, HEADERS[self.elf_class]))
            self.segments = list(self._read_segments(file))
            self.notes = []
            for segment in self.segments:
                if segment.type == PT_NOTE:
                    file.seek(segment.offset)
                    self.notes += list(parse_notes(file.read(segment.filesz), self.order))
            self.size = file.seek(0, 2)

    def _read(self, file, offset, fields):
        layout = struct.Struct(self.order + fields)
        file.seek(offset)
        return layout.unpack(file.read(layout.size))

    def _read_segments(self, file):
        fields = PROGRAM_HEADERS[self.elf_class]
        names = PROGRAM_HEADER_FIELDS[self.elf_class].split()
        count = self.header.phnum
        if count == PN_XNUM:
            (count,) = self._read(file, self.header.shoff + SH_INFO[self.elf_class], "I")
        for n in range(count):
            offset = self.header.phoff + n * self.header.phentsize
            yield Segment(**dict(zip(names, self._read(file, offset, fields))))

    @property
    def loads(self):
        return [segment for segment in self.segments if segment.type == PT_LOAD]

    def memory(self):
        """The physical memory: a list of (address, size), ascending, neighbours as one."""
        ranges = []
        for load in sorted(self.loads, key=lambda load: load.paddr):
            if ranges and load.paddr <= sum(ranges[-1]):
                first = ranges[-1][0]
                ranges[-1] = (first, max(sum(ranges[-1]), load.paddr + load.memsz) - first)
            else:
                ranges.append((load.paddr, load.memsz))
        return ranges

    def read(self, address, size):
        """Physical memory, all of which must be in the core."""
        data = b""
        with open(self.path, "rb") as file:
            while len(data) < size:
                at = address + len(data)
                load = next((s for s in self.loads if s.paddr <= at < s.paddr + s.filesz), None)
                if not load:
                    raise ValueError(f"{self.path} has nothing at {at:#x}")
                file.seek(load.offset + at - load.paddr)
                data += file.read(min(size - len(data), load.paddr + load.filesz - at))
        return data

    def pieces(self, size):
        """The physical memory as (address, bytes of at most this size)."""
        for first, length in self.memory():
            for offset in range(0, length, size):
                yield first + offset, self.read(first + offset, min(size, length - offset))

    def named(self, name, type=None):
        """The notes of a name (and type), in their order."""
        return [n for n in self.notes if n.name == name and type in (None, n.type)]

    def vmcoreinfo(self):
        """The one VMCOREINFO text as bytes, or None."""
        notes = self.named("VMCOREINFO")
        if len(notes) > 1:
            raise ValueError("more than one VMCOREINFO note")
        return notes[0].desc if notes else None


def parse_notes(data, order="<"):
    offset = 0
    while offset < len(data):
        namesz, descsz, type = struct.unpack_from(order + "III", data, offset)
        name_at = offset + 12
        desc_at = name_at + (namesz + 3 & ~3)
        offset = desc_at + (descsz + 3 & ~3)
        name = data[name_at : name_at + namesz]
        if offset > len(data) or not name.endswith(b"\0"):
            raise ValueError("a note is not whole")
        yield Note(name[:-1].decode(), type, data[desc_at : desc_at + descsz])


def vmcoreinfo_value(text, key):
    """The value of a line KEY=VALUE of VMCOREINFO (bytes), or None."""
    for line in text.decode().splitlines():
        if line.startswith(key + "="):
            return line[len(key) + 1 :]
    return None
