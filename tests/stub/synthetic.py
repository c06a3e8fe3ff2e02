#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest of synthetic memory (see synthetic.h), of any size.

    synthetic.py settings SIZE [PACKETSIZE]   for the scripted stub, to come behind x86_64.machine
    synthetic.py ranges SIZE                  where its RAM is
    synthetic.py check CORE SIZE              whether an ELF core has it, byte for byte

SIZE may end in M or G; PACKETSIZE is hexadecimal.
"""

import argparse
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))
from elfcore import ElfCore  # noqa: E402

PAGE = 4096
KINDS, NOISE_KINDS, STRETCH = 33, 8, 64
MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
# Above what lies below 4 GiB, as a PC has it
LOW_END, LOW_MAX, HIGH = 0xA0000, 3 << 30, 4 << 30
# The page tables of x86_64.machine, which are empty
ZERO = (0x1000, 0x2000)


def ram(size):
    """The ranges of RAM, as (start, end)."""
    ranges = [(0, LOW_END), (0x100000, min(size, LOW_MAX))]
    if size > LOW_MAX:
        ranges.append((HIGH, HIGH + size - LOW_MAX))
    return ranges


def settings(size, packet_size=0x1000):
    """Settings that make a machine of what x86_64.machine describes, with more memory."""
    flat_view = "".join(
        f"  {start:016x}-{end - 1:016x} (prio 0, ram): pc.ram @{start:016x}\n"
        for start, end in ram(size)
    )
    lines = [
        f"supported PacketSize={packet_size:x};qXfer:features:read+;vContSupported+;multiprocess+",
        # What QEMU makes of its packet size
        f"limit {packet_size // 2}",
        *(f"memory {start:x} {end - start:x} synthetic" for start, end in ram(size)),
        f"memory {ZERO[0]:x} {ZERO[1] - ZERO[0]:x} zero",
        "monitor info mtree -f = <<",
        "FlatView #0",
        ' AS "memory", root: system',
        " Root memory region: system",
        flat_view,
        ".",
    ]
    return "\n".join(lines) + "\n"


def noise(n):
    n = (n + 1) * GOLDEN & MASK
    n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9 & MASK
    n = (n ^ n >> 27) * 0x94D049BB133111EB & MASK
    return n ^ n >> 31


def word(kind, index):
    if kind == 0:
        return 0
    if kind < KINDS - NOISE_KINDS:
        return 0xFFFF888000000000 + kind * PAGE + index // 16
    return noise(kind * 512 + index)


def make_page(kind):
    return b"".join(struct.pack("<Q", word(kind, index)) for index in range(PAGE // 8))


def scatter(n):
    return (n ^ n >> 7) * GOLDEN & MASK


def kind_of(addr):
    page = addr // PAGE
    return 0 if scatter(page // STRETCH) >> 63 else 1 + (scatter(page) >> 59)


def check(path, size):
    pages = [make_page(kind) for kind in range(KINDS)]
    core = ElfCore(path)
    found = []
    with open(path, "rb") as file:
        for load in core.loads:
            found.append((load.paddr, load.paddr + load.memsz))
            file.seek(load.offset)
            for addr in range(load.paddr, load.paddr + load.memsz, PAGE):
                in_file = max(0, min(PAGE, load.paddr + load.filesz - addr))
                got = file.read(in_file).ljust(PAGE, b"\0")
                wanted = bytes(PAGE) if ZERO[0] <= addr < ZERO[1] else pages[kind_of(addr)]
                if got != wanted:
                    sys.exit(f"the page at {addr:#x} is wrong")
    if sorted(found) != ram(size):
        sys.exit(f"the core has {found}, the guest {ram(size)}")


def parse_size(text):
    units = {"M": 1 << 20, "G": 1 << 30}
    return int(text.rstrip("MG")) * units.get(text[-1], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("settings")
    verb.add_argument("size", type=parse_size)
    verb.add_argument("packet_size", type=lambda text: int(text, 16), nargs="?", default=0x1000)
    verb = verbs.add_parser("ranges")
    verb.add_argument("size", type=parse_size)
    verb = verbs.add_parser("check")
    verb.add_argument("core")
    verb.add_argument("size", type=parse_size)
    options = parser.parse_args()
    if options.verb == "settings":
        print(settings(options.size, options.packet_size), end="")
    elif options.verb == "ranges":
        print(*(f"{start:x}-{end:x}" for start, end in ram(options.size)))
    else:
        check(options.core, options.size)


if __name__ == "__main__":
    main()
