# SPDX-License-Identifier: GPL-2.0-or-later
"""A 64-bit little-endian kdump core of version 6, and makedumpfile's flattened form, read by nobody's
code but this. Of compressed pages only zlib's can be read; what is not as the format has it raises
ValueError, zlib.error or struct.error."""

import struct
import zlib

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


class KdumpCore:
    def __init__(self, data):
        self._data = data
        version, self.block, sub_blocks, bitmap_blocks = (
            *struct.unpack_from("<I", data, 8),
            *struct.unpack_from("<III", data, 0x1AC),
        )
        if data[:8] != SIGNATURE or version != 6:
            raise ValueError("no kdump core of version 6")
        self.utsname = [data[n : n + 65].split(b"\0")[0] for n in range(12, 12 + 6 * 65, 65)]
        self.status, self.cpus = (struct.unpack_from("<I", data, n)[0] for n in (0x1A8, 0x1CC))
        self._read_sub_header(self.block)
        bitmaps = self.block * (1 + sub_blocks)
        size = self.block * bitmap_blocks // 2
        self.ram, self.held = (
            self._frames(data[start : start + size]) for start in (bitmaps, bitmaps + size)
        )
        descriptors = bitmaps + 2 * size
        self._pages = {
            frame: struct.unpack_from("<QIIQ", data, descriptors + 24 * n)
            for n, frame in enumerate(self.held)
        }

    def _read_sub_header(self, at):
        fields = struct.unpack_from("<qIIQQQQQQ", self._data, at)
        self.phys_base, self.dump_level, self.split = fields[:3]
        vmcoreinfo, size, notes, notes_size = fields[5:]
        self.vmcoreinfo = self._data[vmcoreinfo : vmcoreinfo + size] if size else None
        self.notes = list(parse_notes(self._data[notes : notes + notes_size]))
        (self.max_mapnr,) = struct.unpack_from("<Q", self._data, at + 0x60)

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
