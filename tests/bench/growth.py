# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests of any size, of synthetic memory from a stub that is faster than we are.

Time and memory must not grow faster than the guest, and what we need of a CPU shows here, where
nobody else's limit hides it.
"""

from measure import Subject, measure_client, ratios, take_turns
from subjects import ceiling_command, our_command, our_formats, size_of, synthetic_stub
from table import Row, render_part

import synthetic

# QEMU's, up to 10.1 and from 10.2 on
SMALL_PACKETS, LARGE_PACKETS = 0x1000, 0x20020
PACKETS_GIB, DISK_GIB_MAX = 4, 4
# The quickest one, so that sizes show, not the codec
KDUMP = ("kdump-snappy", "kdump-lzo", "kdump-zstd", "kdump-zlib")


class Synthetic:
    """What can be done to a guest of so many GiB."""

    def __init__(self, gib, packet_size=LARGE_PACKETS):
        self.gib = gib
        self._ranges = synthetic.ram(gib << 30)
        self._settings = synthetic.settings(gib << 30, packet_size)
        self._words = f"{gib} GiB"
        if packet_size != LARGE_PACKETS:
            self._words += f", packets of {packet_size} bytes"

    def _measure(self, make_command):
        with synthetic_stub(self._settings) as (pid, target):
            return measure_client(size_of(self._ranges), pid, make_command(target))

    def ceiling(self):
        return Subject(
            f"ceiling, {self._words}",
            lambda: self._measure(lambda target: ceiling_command(target, self._ranges)),
        )

    def ours(self, form="elf"):
        return Subject(
            f"rspdump, {form}, {self._words}, to /dev/null",
            lambda: self._measure(lambda target: our_command("-", target, form)),
        )

    def to_disk(self, directory):
        def run():
            core = directory / "core"
            sample = self._measure(lambda target: our_command(core, target))
            core.unlink()
            return sample

        return Subject(f"rspdump, elf, {self._words}, to disk", run)


def of_first(subjects):
    """Rows that tell how time grows with the guest."""
    first, *more = subjects
    rows = [Row(first)]
    for subject in more:
        grown = ratios(subject, first, lambda s: s.seconds / s.size)
        rows.append(Row(subject, [(grown, "of the first one's s/GiB")]))
    return rows


def of_ceiling(ours, ceiling):
    return Row(ours, [(ratios(ours, ceiling, lambda s: s.rate), "of the ceiling's rate")])


def run(options, directory):
    kdump = next((form for form in KDUMP if form in our_formats()), None)
    guests = [Synthetic(gib) for gib in options.sizes]
    small_packets = Synthetic(PACKETS_GIB, SMALL_PACKETS)

    grows = [guest.ours() for guest in guests]
    kdump_grows = [guest.ours(kdump) for guest in (guests[0], guests[-1])] if kdump else []
    for subject in kdump_grows:
        subject.rounds = 1
    disk = [guest.to_disk(directory) for guest in guests if guest.gib <= DISK_GIB_MAX]
    large_ceiling = Synthetic(PACKETS_GIB).ceiling()
    small_ceiling, small = small_packets.ceiling(), small_packets.ours()
    turns = [*grows, *kdump_grows, *disk, large_ceiling, small_ceiling, small]
    take_turns(options.growth_rounds, turns)

    rows = of_first(grows)
    rows += of_first(kdump_grows) if kdump_grows else []
    rows += of_first(disk) if disk else []
    rows += [Row(large_ceiling), Row(small_ceiling), of_ceiling(small, small_ceiling)]
    return render_part("Growth, synthetic stub", rows)
