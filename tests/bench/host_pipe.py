# SPDX-License-Identifier: GPL-2.0-or-later
"""The host pipe, against QEMU's own dump of the same stopped guest."""

import sys

from guest import Guest
from measure import ratios, take_turns
from subjects import GuestSubjects, our_formats, our_lanes
from table import Row, render_part

FORMATS = ("elf", "kdump-zlib")


def run(options, directory):
    if "hostpipe" not in our_lanes():
        print("this rspdump has no --lane hostpipe", file=sys.stderr)
        return None
    with Guest(directory, memory=options.memory) as guest:
        guest.wait_ready()
        guest.stop()
        subjects = GuestSubjects(guest, directory)
        known = set(our_formats()) & set(subjects.qemus_formats())
        pairs = [
            (subjects.ours(form, "hostpipe"), subjects.qemus(form))
            for form in FORMATS
            if form in known
        ]
        take_turns(options.rounds, [subject for pair in pairs for subject in pair])

    rows = []
    for ours, qemus in pairs:
        rows.append(Row(ours, ratios(ours, qemus, lambda s: s.seconds), "of QEMU's time"))
        rows.append(Row(qemus))
    return render_part(f"Host pipe, {subjects.size >> 20} MiB", rows)
