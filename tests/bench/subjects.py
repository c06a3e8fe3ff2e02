# SPDX-License-Identifier: GPL-2.0-or-later
"""What benchmarks run: rspdump, the ceiling, gdb, QEMU's own dump; and what they run it against."""

import contextlib
import os
import pathlib
import re
import select
import subprocess

from compare_cores import merge
from elfcore import ElfCore
from harness import Failure, check, check_equal, rspdump, rspdump_path
from measure import Subject, measure, measure_client

BUILD = pathlib.Path(os.environ.get("BUILD_DIR", "."))
STUB_TESTS = pathlib.Path(__file__).resolve().parents[1] / "stub"
START_SECONDS = 30

# What a guest of Linux cannot be dumped as
NOT_OURS = {"win-dmp"}


def our_formats():
    """The formats that this rspdump writes."""
    (line,) = re.findall(r"^Formats: (.*)$", rspdump("--version").stdout, re.MULTILINE)
    return [name for name in line.split() if name not in NOT_OURS]


# As --lane takes them: those from a QEMU of the same host.
HOST_LANES = ("hostmem", "hostpipe")


def our_command(output, target, form="elf", lane="rsp", level=0):
    command = [rspdump_path(), "--quiet", "--after", "stop", "--format", form, "--lane", lane]
    return [*command, "--dump-level", str(level), "-o", output, target]


@contextlib.contextmanager
def listening(*command):
    """A program that prints the port of the loopback device that it listens on."""
    # setpriv, so that it ends with us whatever happens.
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        port = process.stdout.readline().strip() if ready else ""
        if not port:
            raise Failure(f"{command[0]} does not listen")
        yield process.pid, f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def relay(milliseconds, target):
    return listening(BUILD / "tests/bench/relay", milliseconds, target)


def synthetic_stub(settings):
    """A guest of synthetic memory; it takes one client. See synthetic.py for the settings."""
    stub = BUILD / "tests/stub/scripted-stub"
    machine = STUB_TESTS / "x86_64.machine"
    return listening(stub, "-l", "127.0.0.1:0", "-e", settings, machine)


def size_of(ranges):
    """Of ranges of bytes: (start, end)."""
    return sum(end - start for start, end in ranges)


def ceiling_command(target, ranges):
    words = [f"{start:x}-{end:x}" for start, end in ranges]
    return [BUILD / "tests/bench/ceiling", target, *words]


class GuestSubjects:
    """What can be done to one stopped guest in QEMU, each as a Subject."""

    def __init__(self, guest, directory):
        self._guest = guest
        self._core = directory / "core"
        self._gdb_files = directory / "gdb"
        # Unmeasured: it warms all up, and tells where memory is.
        rspdump(*our_command(self._core, guest.gdb)[1:], timeout=600)
        loads = ElfCore(self._core).loads
        self._core.unlink()
        self.ranges = merge((load.paddr, load.paddr + load.memsz) for load in loads)
        self.size = size_of(self.ranges)

    def _client(self, make_command, milliseconds=0):
        with contextlib.ExitStack() as stack:
            target = self._guest.gdb
            if milliseconds:
                _, target = stack.enter_context(relay(milliseconds, target))
            return measure_client(self.size, self._guest.pid, make_command(target))

    def ceiling(self, milliseconds=0):
        return Subject(
            f"ceiling{longer(milliseconds)}",
            lambda: self._client(lambda t: ceiling_command(t, self.ranges), milliseconds),
        )

    def ours(self, form="elf", lane="rsp", milliseconds=0, level=0):
        def run():
            sample = self._client(
                lambda target: our_command(self._core, target, form, lane, level), milliseconds
            )
            self._core.unlink()
            return sample

        words = form if lane == "rsp" else f"{form}, {lane}"
        words += f", -d {level}" if level else ""
        return Subject(f"rspdump, {words}{longer(milliseconds)}", run)

    def qemus(self, form="elf"):
        def run():
            sample = measure(
                self.size, self._guest.pid, lambda: self._guest.dump(self._core, format=form)
            )
            self._core.unlink()
            return sample

        return Subject(f"QEMU's dump-guest-memory, {form}", run)

    def qemus_formats(self):
        known = self._guest.qmp("query-dump-guest-memory-capability")["formats"]
        return [form for form in known if form not in NOT_OURS]

    def gdbs(self, size):
        """gdb's dump of some of the memory, once: it is slow."""
        ranges = first_bytes(self.ranges, size)
        return Subject(
            f"gdb, dump binary memory, {size_of(ranges) >> 20} MiB",
            lambda: self._by_gdb(ranges),
            rounds=1,
        )

    def _by_gdb(self, ranges):
        commands = [f"target remote {self._guest.gdb}", "maint packet Qqemu.PhyMemMode:1"]
        files = [self._gdb_files.with_suffix(f".{n}") for n in range(len(ranges))]
        for path, (start, end) in zip(files, ranges):
            commands.append(f"dump binary memory {path} {start:#x} {end:#x}")
        # Not detach, which would let the guest run.
        commands += ["maint packet Qqemu.PhyMemMode:0", "disconnect"]
        words = [word for command in commands for word in ("-ex", command)]
        sample = measure_client(
            size_of(ranges), self._guest.pid, ["gdb", "-nx", "-batch", *words]
        )
        check_equal(sum(path.stat().st_size for path in files), size_of(ranges), "gdb's bytes")
        for path in files:
            path.unlink()
        check(self._guest.status() != "running", "gdb has let the guest run")
        return sample


def longer(milliseconds):
    return f", {milliseconds} ms away" if milliseconds else ""


def first_bytes(ranges, size):
    """The first ranges, up to so many bytes."""
    some = []
    for start, end in ranges:
        end = min(end, start + size)
        if end > start:
            some.append((start, end))
        size -= end - start
    return some
