#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long it takes to get at all of a guest's memory, against what else one could do.

    dump.py [--rounds N] [--memory SIZE]

One guest, stopped; in each round, one after the other: rspdump takes a whole core over loopback
TCP; gdb reads the same memory from the same stub by `dump binary memory`; QEMU writes its own ELF
core by QMP's dump-guest-memory. Rounds alternate, so that what else the machine does hits all
alike. Prints a table of medians: what counts in it are the ratios, within one run.
"""

import argparse
import datetime
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "vm"))

from compare_cores import PAGE, merge  # noqa: E402
from elfcore import ElfCore  # noqa: E402
from guest import QEMU, Guest  # noqa: E402
from harness import Failure, check, check_equal, need, rspdump_path, run, tell  # noqa: E402

# gdb reads some 14 MiB/s.
RUN_SECONDS = 1800

PHYSICAL = "maintenance packet Qqemu.PhyMemMode:{:d}"


@dataclass
class Sample:
    """What one run took. The client is rspdump or gdb; QMP has none."""

    seconds: float
    qemu_cpu: float
    client_cpu: float = 0
    client_peak: int = 0  # bytes


def qemu_cpu(guest):
    """Seconds of CPU time that QEMU has used up to now."""
    stat = pathlib.Path(f"/proc/{guest.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def measure(guest, action):
    """Runs an action, which returns what its client took, as client() does."""
    cpu, start = qemu_cpu(guest), time.monotonic()
    client_cpu, client_peak = action() or (0, 0)
    seconds = time.monotonic() - start
    return Sample(seconds, qemu_cpu(guest) - cpu, client_cpu, client_peak)


def peak(pid):
    """The most memory that a process has had, in bytes; 0 if it has none any more."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    return int(match.group(1)) * 1024 if match else 0


def client(*command):
    """Runs a client to its end; returns its CPU time and peak memory."""
    with open(os.devnull, "r+b") as null:
        process = subprocess.Popen(list(map(str, command)), stdin=null, stdout=null, stderr=null)
    deadline = time.monotonic() + RUN_SECONDS
    most = 0
    try:
        while True:
            # Not ru_maxrss: Linux counts in it what the process was before its exec, which is us.
            most = max(most, peak(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                raise Failure(f"{command[0]} did not end within {RUN_SECONDS} seconds")
            time.sleep(0.01)
    except BaseException:
        process.kill()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    check_equal(process.returncode, 0, f"exit status of {command[0]}")
    return usage.ru_utime + usage.ru_stime, most


def by_rspdump(guest, core):
    return client(rspdump_path(), "--quiet", "--after", "stop", "-o", core, guest.gdb)


def by_gdb(guest, directory, ranges):
    commands = [f"target remote {guest.gdb}", PHYSICAL.format(True)]
    for n, (first, end) in enumerate(ranges):
        commands.append(
            f"dump binary memory {directory}/gdb.{n} {first * PAGE:#x} {end * PAGE:#x}"
        )
    commands += [PHYSICAL.format(False), "detach"]
    took = client("gdb", "-nx", "-batch", *(word for c in commands for word in ("-ex", c)))
    total = sum(path.stat().st_size for path in directory.glob("gdb.*"))
    expected = sum(end - first for first, end in ranges) * PAGE
    check_equal(total, expected, "bytes that gdb has read")
    return took


def row(name, samples, megabytes, reference):
    def median(of):
        return statistics.median(map(of, samples))

    seconds = [sample.seconds for sample in samples]
    return (
        f"| {name} | {median(lambda s: s.seconds):.2f} | {min(seconds):.2f} to {max(seconds):.2f} "
        f"| {megabytes / median(lambda s: s.seconds):.0f} "
        f"| {median(lambda s: s.seconds) / reference:.2f} "
        f"| {median(lambda s: s.client_cpu):.2f} | {median(lambda s: s.qemu_cpu):.2f} "
        f"| {median(lambda s: s.client_peak) / (1 << 20):.0f} |"
    )


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


def story(directory, rounds, memory):
    core, qemus = directory / "core", directory / "qemus"
    samples = {"rspdump": [], "gdb": [], "QMP": []}
    with Guest(directory, memory=memory) as guest:
        guest.wait_ready()
        guest.stop()
        # Unmeasured: it warms all up, and tells which memory gdb has to read.
        by_rspdump(guest, core)
        loads = ElfCore(core).loads
        ranges = merge((s.paddr // PAGE, (s.paddr + s.filesz) // PAGE) for s in loads)
        check(ranges, "the core has no memory")
        for n in range(rounds):
            print(f"round {n + 1} of {rounds}", file=sys.stderr, flush=True)
            core.unlink()
            samples["rspdump"].append(measure(guest, lambda: by_rspdump(guest, core)))
            samples["gdb"].append(measure(guest, lambda: by_gdb(guest, directory, ranges)))
            guest.stop()  # gdb's detach lets it run
            samples["QMP"].append(measure(guest, lambda: guest.dump(qemus)))
            qemus.unlink()

    megabytes = sum(end - first for first, end in ranges) * PAGE / (1 << 20)
    reference = statistics.median(sample.seconds for sample in samples["rspdump"])
    print(f"\n{megabytes:.0f} MiB of guest memory, {rounds} rounds. {machine()}\n")
    print(
        "| | s | from | MiB/s | to rspdump's "
        "| client's CPU s | QEMU's CPU s | client's peak MiB |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    for name, title in (
        ("rspdump", "rspdump, ELF, loopback TCP"),
        ("gdb", "gdb, dump binary memory"),
        ("QMP", "QMP dump-guest-memory, ELF"),
    ):
        print(row(title, samples[name], megabytes, reference))


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--memory", default="1G")
options = parser.parse_args()
need("gdb")
tell(lambda directory: story(directory, options.rounds, options.memory))
