# SPDX-License-Identifier: GPL-2.0-or-later
"""A 64-bit little-endian ELF core, read by nobody's code but this: headers and notes.

Only what the tests look at, and only as the ELF specification has it; a file that is not so raises
ValueError or struct.error.
"""

import struct
from collections import namedtuple

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
PT_LOAD, PT_NOTE = 1, 4
PN_XNUM = 0xFFFF  # the number of program headers is in sh_info of the first section header
SH_INFO = 44
NT_PRSTATUS = 1

Header = namedtuple(
    "Header",
    "ident type machine version entry phoff shoff flags ehsize phentsize phnum shentsize"
    " shnum shstrndx",
)
Segment = namedtuple("Segment", "type flags offset vaddr paddr filesz memsz align")
Note = namedtuple("Note", "name type desc")


class ElfCore:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.header = Header(*HEADER.unpack(file.read(HEADER.size)))
            if self.header.ident[:6] != b"\x7fELF\x02\x01":
                raise ValueError(f"{path} is no 64-bit little-endian ELF file")
            count = self.header.phnum
            if count == PN_XNUM:
                file.seek(self.header.shoff + SH_INFO)
                (count,) = struct.unpack("<I", file.read(4))
            file.seek(self.header.phoff)
            self.segments = [
                Segment(*PROGRAM_HEADER.unpack(file.read(PROGRAM_HEADER.size)))
                for _ in range(count)
            ]
            self.notes = []
            for segment in self.segments:
                if segment.type == PT_NOTE:
                    file.seek(segment.offset)
                    self.notes += list(parse_notes(file.read(segment.filesz)))
            self.size = file.seek(0, 2)

    @property
    def loads(self):
        return [segment for segment in self.segments if segment.type == PT_LOAD]

    def named(self, name, type=None):
        """The notes of a name (and type), in their order."""
        return [n for n in self.notes if n.name == name and type in (None, n.type)]

    def vmcoreinfo(self):
        """The one VMCOREINFO text as bytes, or None."""
        notes = self.named("VMCOREINFO")
        if len(notes) > 1:
            raise ValueError("more than one VMCOREINFO note")
        return notes[0].desc if notes else None


def parse_notes(data):
    offset = 0
    while offset < len(data):
        namesz, descsz, type = struct.unpack_from("<III", data, offset)
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
