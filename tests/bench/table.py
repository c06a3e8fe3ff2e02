# SPDX-License-Identifier: GPL-2.0-or-later
"""The table that a benchmark prints: a row for each subject, in Markdown."""

import statistics
from dataclasses import dataclass

HEAD = (
    "|  | s | MB/s | s/GiB | ratio | client's CPU s | cores | MB per CPU s "
    "| stub's CPU s | stub busy | peak MiB |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Row:
    subject: object  # a Subject
    comparisons: list = ()  # of (ratios, words for what they are ratios of)


def spread(values, digits=2):
    """The median, and between what the others are."""
    text = f"{statistics.median(values):.{digits}f}"
    if len(values) > 1:
        text += f" ({min(values):.{digits}f} to {max(values):.{digits}f})"
    return text


def render(row):
    subject = row.subject
    cpu = subject.median(lambda s: s.client_cpu)
    cells = [
        subject.title,
        spread([sample.seconds for sample in subject.samples]),
        f"{subject.median(lambda s: s.rate) / 1e6:.0f}",
        f"{subject.median(lambda s: s.seconds / s.size * (1 << 30)):.2f}",
        "; ".join(f"{spread(ratios)} {words}" for ratios, words in row.comparisons),
    ]
    if cpu:
        cells += [
            f"{cpu:.2f}",
            f"{subject.median(lambda s: s.client_cpu / s.seconds):.2f}",
            f"{subject.median(lambda s: s.size / s.client_cpu) / 1e6:.0f}",
        ]
    else:
        cells += [""] * 3
    cells.append(f"{subject.median(lambda s: s.stub_cpu):.2f}")
    # Of a single thread, which a stub is: nobody gets more out of it than at 1. What the machine
    # makes of a second of CPU time changes from run to run; this does not.
    cells.append(f"{subject.median(lambda s: s.stub_cpu / s.seconds):.2f}")
    most = max(sample.client_peak for sample in subject.samples)
    cells.append(f"{most / (1 << 20):.1f}" if most else "")
    return "| " + " | ".join(cells) + " |"


def render_part(title, rows):
    return "\n".join([f"| **{title}** " + "| " * 10 + "|", *map(render, rows)])
