# SPDX-License-Identifier: GPL-2.0-or-later
"""A link to a guest's stub on which something goes wrong: tests/stub/fault-relay."""

import os
import pathlib
import subprocess

from harness import Failure

# Of what it can do to a link, and what a client may make of it. What only takes time, or belongs to
# the protocol, is not even noticed.
HARMLESS = ("delay", "stall", "notification", "console")
BROKEN = ("cut", "cut-client", "cut-stub", "fin", "hole")
DAMAGED = (
    "corrupt-body",
    "corrupt-sum",
    "corrupt-frame",
    "drop",
    "truncate",
    "nack",
    "duplicate",
    "swap",
    "longer",
    "endless",
    "unasked",
)
KINDS = (*HARMLESS, *BROKEN, *DAMAGED)


class FaultRelay:
    """Listens at .target while the block lasts."""

    def __init__(self, directory, stub, *arguments):
        self._log = directory / "relay.log"
        self._command = [
            str(pathlib.Path(os.environ["BUILD_DIR"]) / "tests/stub/fault-relay"),
            *map(str, arguments),
            stub,
        ]

    def __enter__(self):
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        port = self._process.stdout.readline().strip()
        if not port:
            raise Failure(f"the relay does not listen: {self._log.read_text()}")
        self.target = f"127.0.0.1:{int(port)}"
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """What it holds is closed then."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def faults(self):
        """What it has done: a line each, that its -p takes."""
        return self._log.read_text().splitlines()
