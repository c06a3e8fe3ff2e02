# SPDX-License-Identifier: GPL-2.0-or-later
"""A kdump core of version 6, of any class and byte order, and makedumpfile's flattened form, read by
nobody's code but this. Of compressed pages only zlib's can be read; what is not as the format has it
raises ValueError, zlib.error or struct.error."""

import struct
import zlib
from dataclasses import dataclass

from elfcore import parse_notes

SIGNATURE = b"KDUMP   "
ZLIB = 1


def rearrange(data):
    """The file that a flattened one becomes, as bytes."""
    if data[:32] != b"makedumpfile\0\0\0\0" + struct.pack(">QQ", 1, 1) or any(data[32:4096]):
        raise ValueError("not flattened")
    at, file = 4096, bytearray()
    while True:
        offset, size = struct.unpack_from(">qq", data, at)
        at += 16
        if (offset, size) == (-1, -1):
            if at != len(data):
                raise ValueError("there is more behind the end")
            return bytes(file)
        if offset < 0 or size <= 0 or at + size > len(data):
            raise ValueError(f"a record of {size} bytes at {offset}")
        file.extend(bytes(max(0, offset + size - len(file))))
        file[offset : offset + size] = data[at : at + size]
        at += size


@dataclass(frozen=True)
class Form:
    """Offsets of the fields of the first block, and of the sub-header in the second one."""

    bits: int
    status: int  # block_size, sub_hdr_size, bitmap_blocks and max_mapnr follow
    nr_cpus: int
    vmcoreinfo: int
    note: int
    max_mapnr: int
    size: int  # of the sub-header


FORM_64 = Form(64, 0x1A8, 0x1CC, 0x20, 0x30, 0x60, 104)
# With 64-bit integers where they fall, and aligned
FORM_32_PACKED = Form(32, 0x19C, 0x1C0, 0x14, 0x20, 0x48, 80)
FORM_32_PADDED = Form(32, 0x19C, 0x1C0, 0x18, 0x28, 0x58, 96)


class KdumpCore:
    """frames, ram and held are as the file has them; address 0 of them is start, which is phys_base
    if from_phys_base is told."""

    def __init__(self, data, from_phys_base=False):
        self._data = data
        if data[:8] != SIGNATURE or 6 not in struct.unpack_from("<I", data, 8) + struct.unpack_from(
            ">I", data, 8
        ):
            raise ValueError("no kdump core of version 6")
        self.order = "<" if data[8] == 6 else ">"
        self.utsname = [data[n : n + 65].split(b"\0")[0] for n in range(12, 12 + 6 * 65, 65)]
        self._find_form()
        self.status, self.block, sub_blocks, bitmap_blocks = self._get("IIII", self.form.status)
        (self.cpus,) = self._get("I", self.form.nr_cpus)
        self._read_sub_header(self.block)
        self.start = self.phys_base if from_phys_base else 0
        bitmaps = self.block * (1 + sub_blocks)
        size = self.block * bitmap_blocks // 2
        self.ram, self.held = (
            self._frames(data[start : start + size]) for start in (bitmaps, bitmaps + size)
        )
        descriptors = bitmaps + 2 * size
        self._pages = {
            frame: self._get("QIIQ", descriptors + 24 * n) for n, frame in enumerate(self.held)
        }

    def _get(self, format, at):
        return struct.unpack_from(self.order + format, self._data, at)

    def _find_form(self):
        """The one whose header has a block size, and whose notes are behind its sub-header."""
        for form in (FORM_64, FORM_32_PACKED, FORM_32_PADDED):
            (block,) = self._get("I", form.status + 4)
            if block < 4096 or block & (block - 1):
                continue
            (notes,) = self._get("Q", block + form.note)
            if notes == block + form.size:
                self.form = form
                return
        raise ValueError("the headers are of no form that there is")

    def _read_sub_header(self, at):
        word = "Q" if self.form.bits == 64 else "I"
        self.phys_base, self.dump_level, self.split = self._get(word.lower() + "II", at)
        if self.form.bits == 32:
            self.phys_base &= 0xFFFFFFFF
        vmcoreinfo, size = self._get("Q" + word, at + self.form.vmcoreinfo)
        notes, notes_size = self._get("Q" + word, at + self.form.note)
        self.vmcoreinfo = self._data[vmcoreinfo : vmcoreinfo + size] if size else None
        self.notes = list(parse_notes(self._data[notes : notes + notes_size], self.order))
        (self.max_mapnr,) = self._get("Q", at + self.form.max_mapnr)

    def read(self, address, size):
        """Physical memory, all of which must be in the core."""
        data = b""
        while len(data) < size:
            frame, offset = divmod(address + len(data) - self.start, self.block)
            data += self.page(frame)[offset : offset + size - len(data)]
        return data

    def _frames(self, bitmap):
        digits = bin(int.from_bytes(bitmap, "little"))[:1:-1]
        return [frame for frame, digit in enumerate(digits) if digit == "1"]

    def named(self, name, type=None):
        return [n for n in self.notes if n.name == name and type in (None, n.type)]

    def page(self, frame):
        offset, size, flags, page_flags = self._pages[frame]
        data = self._data[offset : offset + size]
        if len(data) != size or page_flags or flags not in (0, ZLIB):
            raise ValueError(f"page {frame:#x}: {size} bytes at {offset:#x}, flags {flags}")
        data = zlib.decompress(data) if flags else data
        if len(data) != self.block:
            raise ValueError(f"page {frame:#x} has {len(data)} bytes")
        return data
