#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long it takes to get at a guest's memory, against what else one could do.

    bench.py [OPTION]... [PART]...

Parts, all by default; each has a file that tells more:

    rsp        real stub: rspdump in every format, the ceiling, gdb, QEMU
    far        the same stub behind a relay that makes round trips longer
    host       the lanes from a QEMU of the same host, and QEMU's own dump
    growth     a synthetic stub: guests of 1 to 64 GiB
    compress   formats on a guest that is hard to compress
    levels     dump levels on a guest of which little is in use

Prints one table of medians, with the least and the most in brackets: what counts in it are the
ratios, which are of runs that took turns. Progress goes to stderr.
"""

import argparse
import datetime
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parent / "vm"), str(HERE.parent / "stub")]

import compress  # noqa: E402
import far  # noqa: E402
import growth  # noqa: E402
import host_lanes  # noqa: E402
import levels  # noqa: E402
import rsp_lane  # noqa: E402
from guest import QEMU  # noqa: E402
from harness import need, rspdump_path, run, tell  # noqa: E402
from synthetic import parse_size  # noqa: E402
from table import HEAD  # noqa: E402

PARTS = {
    "rsp": rsp_lane.run,
    "far": far.run,
    "host": host_lanes.run,
    "growth": growth.run,
    "compress": compress.run,
    "levels": levels.run,
}


def machine():
    """Where and when, in a line."""
    cpus = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    versions = [
        run(*command).stdout.splitlines()[0]
        for command in ((rspdump_path(), "--version"), (QEMU, "--version"), ("gdb", "--version"))
    ]
    today = datetime.date.today().isoformat()
    model = cpus[0] if cpus else os.uname().machine
    return f"{today}; {len(cpus)} x {model}, {os.uname().release}; {'; '.join(versions)}"


def story(directory, options):
    parts = []
    for name in options.parts or PARTS:
        print(f"== {name}", file=sys.stderr, flush=True)
        parts.append(PARTS[name](options, directory))
    print(f"\n{options.rounds} rounds ({options.growth_rounds} of growth). {machine()}\n")
    print("\n".join([HEAD, *filter(None, parts)]))


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--growth-rounds", type=int, default=3)
    parser.add_argument("--memory", default="1G", help="of the real guests")
    parser.add_argument(
        "--gdb-memory", type=parse_size, default="256M", help="what gdb reads, once"
    )
    parser.add_argument("--latency", type=int, default=20, help="of a relay, in milliseconds")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1, 4, 16, 64], help="of growth, in GiB"
    )
    options = parser.parse_args()
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"no part {part}; there are {', '.join(PARTS)}")
    options.memory_size = parse_size(options.memory)
    return options


if __name__ == "__main__":
    arguments = parse()
    need(QEMU, "setpriv")
    tell(lambda directory: story(directory, arguments))
