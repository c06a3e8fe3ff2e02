# SPDX-License-Identifier: GPL-2.0-or-later
"""Measuring: what one run took, and runs of several things in turn.

What else the machine does hits all alike if things take turns, so a ratio is made of two runs of
the same round, and what is told is the median of the rounds' ratios.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness import Failure

# gdb reads some 14 MiB/s.
RUN_SECONDS = 1800


@dataclass
class Sample:
    """What one run took. The client is rspdump, gdb or the ceiling; QEMU's own dump has none."""

    size: int  # bytes of guest memory
    seconds: float
    stub_cpu: float = 0
    client_cpu: float = 0
    client_peak: int = 0  # bytes

    @property
    def rate(self):
        return self.size / self.seconds


def cpu_of(pid):
    """Seconds of CPU time that a process has used up to now, or to its end."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def peak_of(pid):
    """The most memory that a process has had, in bytes; 0 if it has none any more."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    return int(match.group(1)) * 1024 if match else 0


def measure(size, stub_pid, action):
    """Runs an action that has no client of its own."""
    cpu, start = cpu_of(stub_pid), time.monotonic()
    action()
    seconds = time.monotonic() - start
    return Sample(size, seconds, cpu_of(stub_pid) - cpu)


def measure_client(size, stub_pid, command):
    """Runs a client to its end; its output goes to /dev/null."""
    command = list(map(str, command))
    cpu, start = cpu_of(stub_pid), time.monotonic()
    with open(os.devnull, "r+b") as null:
        process = subprocess.Popen(
            command, stdin=null, stdout=null, stderr=subprocess.PIPE, text=True
        )
    most = 0
    try:
        while True:
            # Not ru_maxrss: Linux counts in it what the process was before its exec, which is us.
            most = max(most, peak_of(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - start > RUN_SECONDS:
                raise Failure(f"{command[0]} did not end within {RUN_SECONDS} seconds")
            time.sleep(0.005)
    except BaseException:
        process.kill()
        raise
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    with process.stderr:
        said = process.stderr.read()
    if process.returncode:
        raise Failure(f"{' '.join(command)}: exit status {process.returncode}: {said}")
    return Sample(
        size, seconds, cpu_of(stub_pid) - cpu, usage.ru_utime + usage.ru_stime, most
    )


@dataclass
class Subject:
    """Something to be measured: run() gives a Sample."""

    title: str
    run: Callable
    rounds: int = sys.maxsize  # at most
    samples: list = field(default_factory=list)

    def median(self, of):
        return statistics.median(map(of, self.samples))


def take_turns(rounds, subjects):
    """Runs each of the subjects in each round, every other time from last to first."""
    for n in range(rounds):
        for subject in subjects if n % 2 == 0 else reversed(subjects):
            if n >= subject.rounds:
                continue
            sample = subject.run()
            subject.samples.append(sample)
            print(
                f"round {n + 1} of {rounds}: {subject.title}: {sample.seconds:.2f} s, "
                f"{sample.rate / 1e6:.0f} MB/s",
                file=sys.stderr,
                flush=True,
            )


def ratios(subject, other, of):
    """The ratio of two subjects in each round; of() picks a figure of a Sample."""
    return [of(a) / of(b) for a, b in zip(subject.samples, other.samples)]
