# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds when rspdump has ended, however it ended: the guest runs or stands as was asked, the stub
takes the next client, no process is left, and no file that nobody was told of."""

import contextlib
import os
import pathlib
import time

from gdbclient import GdbClient
from harness import Failure, check, check_equal, rspdump_path

# In which the guest has to be as it was asked for, also where a guardian sees to it
GUEST_SECONDS = 2
PROCESS_SECONDS = 2


def check_guest(guest, status, what):
    """QEMU is alive, and the guest is as asked in good time."""
    try:
        guest.wait_status(status, seconds=GUEST_SECONDS)
    except Failure as failure:
        raise Failure(f"{what}: {failure}") from failure


def check_stub(guest, what, may_be_physical=False):
    """The stub takes a client and answers it. Reads take virtual addresses, or do so from here on if
    they need not. The guest stands still afterwards."""
    try:
        with GdbClient(guest.gdb) as client:
            mode = client.ask("qqemu.PhyMemMode")
            if may_be_physical and mode == "1":
                mode = "0" if client.ask("Qqemu.PhyMemMode:0") == "OK" else mode
    except OSError as error:
        raise Failure(f"{what}: the stub takes no client: {error}") from error
    check_equal(mode, "0", f"{what}: physical memory mode")


def _processes():
    """Those that run the program, guardians too, if this test has started them: the runner gives each
    a TMPDIR of its own."""
    program = os.path.realpath(rspdump_path())
    ours = f"TMPDIR={os.environ.get('TMPDIR', '')}".encode()
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(process / "exe") == program:
                if ours in (process / "environ").read_bytes().split(b"\0"):
                    found.append(process.name)
    return found


def check_no_process(what):
    limit = time.monotonic() + PROCESS_SECONDS
    while left := _processes():
        if time.monotonic() > limit:
            raise Failure(f"{what}: processes left behind: {left}")
        time.sleep(0.02)


def check_files(directory, allowed, what):
    """Of the files named core*, only those may be there."""
    left = {path.name for path in directory.glob("core*")}
    check(left <= set(allowed), f"{what}: files left behind: {sorted(left - set(allowed))}")
