# SPDX-License-Identifier: GPL-2.0-or-later
"""Formats that compress, on a guest of whose memory 60% cannot be compressed.

The guest's memory is a file, into which noise is written while it stands still; it never runs
again.
"""

import os
import pathlib
import shutil
import tempfile

from guest import Guest
from harness import check_equal
from measure import ratios, take_turns
from subjects import GuestSubjects, our_formats
from table import Row, render_part

NOISE = 0.6
CHUNK = 1 << 20


def fast_directory(size, directory):
    """Where a file of this size is memory, if there is room for it."""
    shm = pathlib.Path("/dev/shm")
    if shm.is_dir() and shutil.disk_usage(shm).free > 2 * size:
        return shm
    return directory


def make_noise(guest, ram, size):
    """Writes noise over the middle of the memory."""
    start = int(size * (1 - NOISE) / 2) // CHUNK * CHUNK
    end = start + int(size * NOISE) // CHUNK * CHUNK
    with open(ram, "r+b") as file:
        file.seek(start)
        for _ in range(start, end, CHUNK):
            last = os.urandom(CHUNK)
            file.write(last)
    check_equal(guest.memory(end - CHUNK, CHUNK) == last, True, "the guest has the noise")


def run(options, directory):
    size = options.memory_size
    with tempfile.TemporaryDirectory(dir=fast_directory(size, directory)) as fast:
        ram = pathlib.Path(fast) / "ram"
        backend = f"memory-backend-file,id=ram,size={size},mem-path={ram},share=on"
        with Guest(
            directory,
            machine="q35,memory-backend=ram",
            memory=options.memory,
            extra=["-object", backend],
        ) as guest:
            guest.wait_ready()
            guest.stop()
            make_noise(guest, ram, size)
            subjects = GuestSubjects(guest, directory)
            elf, *others = [subjects.ours(form) for form in our_formats()]
            take_turns(options.rounds, [elf, *others])

    rows = [Row(elf)]
    for subject in others:
        times = ratios(subject, elf, lambda s: s.seconds)
        rows.append(Row(subject, [(times, "of ELF's time")]))
    percent = round(NOISE * 100)
    return render_part(f"{subjects.size >> 20} MiB, {percent}% of them noise", rows)
