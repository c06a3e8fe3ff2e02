# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds when rspdump has ended, however it ended: the guest runs or stands as was asked, the stub
takes the next client, no process is left, and no file that nobody was told of."""

import os
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
    """Those that run the program, guardians too."""
    program = os.path.realpath(rspdump_path())
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{name}/exe") == program:
                found.append(int(name))
        except OSError:
            pass
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
