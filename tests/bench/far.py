# SPDX-License-Identifier: GPL-2.0-or-later
"""The RSP lane over a distance: what round trips cost.

The relay that makes the distance takes its part of a small machine, from the ceiling as from us:
so there is a ceiling behind it, too.
"""

from guest import Guest
from measure import ratios, take_turns
from subjects import GuestSubjects
from table import Row, render_part


def rates(subject, other, words):
    return ratios(subject, other, lambda s: s.rate), words


def run(options, directory):
    with Guest(directory, memory=options.memory) as guest:
        guest.wait_ready()
        guest.stop()
        subjects = GuestSubjects(guest, directory)
        ceiling, ours = subjects.ceiling(), subjects.ours()
        far_ceiling = subjects.ceiling(options.latency)
        far = subjects.ours(milliseconds=options.latency)
        take_turns(options.rounds, [ceiling, ours, far_ceiling, far])

    rows = [
        Row(ceiling),
        Row(ours, [rates(ours, ceiling, "of the ceiling's rate")]),
        Row(far_ceiling, [rates(far_ceiling, ceiling, "of the ceiling's rate")]),
        Row(
            far,
            [
                rates(far, far_ceiling, "of the rate of the ceiling that is as far away"),
                rates(far, ours, "of ours without the distance"),
            ],
        ),
    ]
    return render_part(f"Distance, {subjects.size >> 20} MiB", rows)
