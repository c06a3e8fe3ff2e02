#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the memory in two cores page by page, through libkdumpfile.

    compare_cores.py A B

Works on every format that libkdumpfile reads, and on cores of different formats. Prints how many
pages are equal, differ, or are in one of the two only, with their ranges. Exit status: 0 if every
page of A is in B and equal; 1 if not; 2 if a core cannot be read.
"""

import re
import sys
from dataclasses import dataclass, field

from elfcore import ElfCore

try:
    import kdumpfile
    from kdumpfile.exceptions import KDumpBaseException
except ImportError:
    print("python3-libkdumpfile is not installed")
    sys.exit(77)

PAGE = 4096
CHUNK = 64  # pages that are read and compared at once; larger buffers come fresh from the kernel


def page_ranges(path, core):
    """The page frames of a core as a list of (first, end), ascending."""
    try:
        loads = ElfCore(path).loads
    except ValueError:
        bits = core.attr["file.pagemap"].get_bits(0, core.attr["max_pfn"] - 1)
        digits = bin(int.from_bytes(bits, "little"))[:1:-1]  # page frame 0 comes first
        return [match.span() for match in re.finditer("1+", digits)]
    # libkdumpfile 0.5.1 loses page frames from this bitmap where PT_LOADs overlap.
    return merge((load.paddr // PAGE, (load.paddr + load.filesz) // PAGE) for load in loads)


def merge(ranges):
    """The same page frames as the fewest ranges, ascending."""
    result = []
    for first, end in sorted(ranges):
        if result and first <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((first, end))
    return result


def intersection(a, b):
    result = []
    i = j = 0
    while i < len(a) and j < len(b):
        first, end = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if first < end:
            result.append((first, end))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return result


def difference(a, b):
    """What is in a but not in b."""
    result = []
    for first, end in a:
        for b_first, b_end in b:
            if b_end <= first or b_first >= end:
                continue
            if first < b_first:
                result.append((first, b_first))
            first = max(first, b_end)
        if first < end:
            result.append((first, end))
    return result


def count(ranges):
    return sum(end - first for first, end in ranges)


@dataclass
class Comparison:
    """Ranges are lists of (first page frame, page frame behind the last)."""

    equal: int = 0
    differ: list = field(default_factory=list)
    only_a: list = field(default_factory=list)
    only_b: list = field(default_factory=list)

    @property
    def a_is_in_b(self):
        return not self.differ and not self.only_a

    def __str__(self):
        lines = [f"equal: {self.equal} pages"]
        for what in ("differ", "only_a", "only_b"):
            ranges = getattr(self, what)
            line = f"{what.replace('_a', ' in A').replace('_b', ' in B')}: {count(ranges)} pages"
            shown = [f"{f * PAGE:#x}-{e * PAGE - 1:#x}" for f, e in ranges[:20]]
            lines.append(" ".join([line, *shown, *(["..."] if len(ranges) > 20 else [])]))
        return "\n".join(lines)


def open_core(path):
    return kdumpfile.kdumpfile(file=str(path))


def read(core, first, end):
    return core.read(kdumpfile.KDUMP_MACHPHYSADDR, first * PAGE, (end - first) * PAGE)


def differing(a, b, first, end):
    """The ranges of differing pages in one chunk."""
    bytes_a, bytes_b = read(a, first, end), read(b, first, end)
    if bytes_a == bytes_b:
        return []
    pages = (
        first + n
        for n in range(end - first)
        if bytes_a[n * PAGE : (n + 1) * PAGE] != bytes_b[n * PAGE : (n + 1) * PAGE]
    )
    return merge((page, page + 1) for page in pages)


def compare(path_a, path_b):
    """Compares two cores; returns a Comparison."""
    a, b = open_core(path_a), open_core(path_b)
    ranges_a, ranges_b = page_ranges(path_a, a), page_ranges(path_b, b)
    both = intersection(ranges_a, ranges_b)
    differ = []
    for range_first, range_end in both:
        for first in range(range_first, range_end, CHUNK):
            differ += differing(a, b, first, min(first + CHUNK, range_end))
    differ = merge(differ)
    return Comparison(
        equal=count(both) - count(differ),
        differ=differ,
        only_a=difference(ranges_a, ranges_b),
        only_b=difference(ranges_b, ranges_a),
    )


def main():
    if len(sys.argv) != 3:
        print("usage: compare_cores.py A B", file=sys.stderr)
        return 2
    try:
        comparison = compare(*sys.argv[1:])
    except (KDumpBaseException, OSError) as error:
        print(f"compare_cores.py: {error}", file=sys.stderr)
        return 2
    print(comparison)
    return 0 if comparison.a_is_in_b else 1


if __name__ == "__main__":
    sys.exit(main())
