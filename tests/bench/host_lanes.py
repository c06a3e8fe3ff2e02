# SPDX-License-Identifier: GPL-2.0-or-later
"""The lanes from a QEMU of the same host, against QEMU's own dump of the same stopped guest."""

from guest import Guest
from measure import ratios, take_turns
from subjects import HOST_LANES, GuestSubjects, our_formats
from table import Row, render_part

FORMATS = ("elf", "kdump-zlib")


def run(options, directory):
    with Guest(directory, memory=options.memory) as guest:
        guest.wait_ready()
        guest.stop()
        subjects = GuestSubjects(guest, directory)
        qemus = {
            form: subjects.qemus(form)
            for form in FORMATS
            if form in our_formats() and form in subjects.qemus_formats()
        }
        ours = [(subjects.ours(form, lane), form) for lane in HOST_LANES for form in qemus]
        take_turns(options.rounds, [*qemus.values(), *(subject for subject, _ in ours)])

    rows = [
        Row(subject, [(ratios(subject, qemus[form], lambda s: s.seconds), "of QEMU's time")])
        for subject, form in ours
    ]
    rows += map(Row, qemus.values())
    return render_part(f"One host, {subjects.size >> 20} MiB", rows)
