# SPDX-License-Identifier: GPL-2.0-or-later
"""The RSP lane on a real stub, whose own speed is the limit: how near to it do we come?"""

import shutil
import sys

from guest import Guest
from measure import ratios, take_turns
from subjects import GuestSubjects, our_formats
from table import Row, render_part


def run(options, directory):
    with Guest(directory, memory=options.memory) as guest:
        guest.wait_ready()
        guest.stop()
        subjects = GuestSubjects(guest, directory)
        ceiling = subjects.ceiling()
        ours = {form: subjects.ours(form) for form in our_formats()}
        others = [subjects.qemus(form) for form in subjects.qemus_formats()]
        if shutil.which("gdb"):
            others.append(subjects.gdbs(options.gdb_memory))
        else:
            print("gdb is not installed", file=sys.stderr)
        take_turns(options.rounds, [ceiling, *ours.values(), *others])

    def of_ceiling(subject):
        rates = ratios(subject, ceiling, lambda s: s.rate)
        return Row(subject, [(rates, "of the ceiling's rate")])

    def of_ours(subject):
        rates = ratios(subject, ours["elf"], lambda s: s.rate)
        return Row(subject, [(rates, "of our ELF's rate")])

    rows = [Row(ceiling), *map(of_ceiling, ours.values()), *map(of_ours, others)]
    return render_part(f"RSP lane, {subjects.size >> 20} MiB, TCP on loopback", rows)
