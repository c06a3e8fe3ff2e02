# SPDX-License-Identifier: GPL-2.0-or-later
"""Dump levels: what is not needed is not read. A guest of 4 GiB of which 0.5 GiB are in use."""

from guest import Guest
from measure import ratios, take_turns
from subjects import GuestSubjects
from table import Row, render_part

MEMORY, USED_MIB = "4G", 512
LEVELS = (1, 16, 31)


def run(options, directory):
    with Guest(directory, memory=MEMORY, append=[f"rspdump.use={USED_MIB}"]) as guest:
        guest.wait_ready()
        guest.stop()
        subjects = GuestSubjects(guest, directory)
        whole = subjects.ours()
        levels = [subjects.ours(level=level) for level in LEVELS]
        take_turns(options.rounds, [whole, *levels])

    rows = [Row(whole)]
    for subject in levels:
        times = ratios(whole, subject, lambda s: s.seconds)
        rows.append(Row(subject, [(times, "times as fast as all of it")]))
    title = f"Dump levels, {subjects.size >> 20} MiB, {USED_MIB} MiB of them in use"
    return render_part(title, rows)
