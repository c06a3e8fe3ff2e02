# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU with a gdb stub on it and a QMP monitor beside it; what runs in it is for others to say.

The machine ends with the `with` block, whatever happens in it; and should this process be killed
outright, the kernel kills QEMU with it. Nothing here chooses a port or a path that somebody else
could take in between: TCP ports are the kernel's choice, and sockets lie in the test's own
directory.
"""

import json
import re
import socket
import subprocess
import time

from harness import Failure, need

# An emulated boot takes 4 seconds on a fast machine and 40 on a slow, busy one.
BOOT_SECONDS = 120


class Qmp:
    """A QMP monitor at the other end of a socket."""

    def __init__(self, connection):
        connection.settimeout(BOOT_SECONDS)
        self._stream = connection.makefile("rw", encoding="utf-8", newline="\n")
        self._receive()  # the greeting
        self.execute("qmp_capabilities")

    def _receive(self):
        line = self._stream.readline()
        if not line:
            raise Failure("QEMU has closed its monitor")
        return json.loads(line)

    def execute(self, command, **arguments):
        message = {"execute": command, "arguments": arguments}
        self._stream.write(json.dumps(message) + "\n")
        self._stream.flush()
        while True:
            reply = self._receive()
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise Failure(f"QMP {command}: {reply['error']['desc']}")


class Qemu:
    """See the module. The options:

    program                the QEMU to run
    arguments              of its command line, all but the stub, the monitor and what follows
    gdb                    "tcp" or "unix": where the stub listens
    within                 a command that starts QEMU
    """

    def __init__(self, directory, program, arguments, gdb="tcp", within=()):
        need(program, "setpriv")
        self._directory = directory
        self._stderr = directory / "qemu.stderr"
        self._gdb_socket = directory / "gdb"
        self._stub_is_unix = gdb == "unix"
        self._process = None
        # setpriv because QEMU has no option to die with its parent.
        self._command = ["setpriv", "--pdeathsig", "KILL", *within, program]
        self._command += ["-no-user-config", "-nodefaults", "-display", "none", "-no-reboot"]
        self._command += ["-accel", "tcg"]
        if self._stub_is_unix:
            self._command += ["-gdb", f"unix:{self._gdb_socket},server=on,wait=off"]
        else:
            self._command += ["-gdb", "tcp:127.0.0.1:0"]
        self._command += arguments

    def __enter__(self):
        ours, theirs = socket.socketpair()
        with ours, theirs, open(self._stderr, "wb") as stderr:
            fd = theirs.fileno()
            self._process = subprocess.Popen(
                self._command
                + ["-chardev", f"socket,id=qmp,fd={fd}", "-mon", "chardev=qmp,mode=control"],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                pass_fds=[fd],
            )
            theirs.close()
            try:
                self._qmp = Qmp(ours)
                self.gdb = self._find_stub()
            except BaseException as error:
                self.kill()
                if isinstance(error, (Failure, OSError)):
                    raise Failure(f"QEMU did not start: {self._stderr.read_text()}") from error
                raise
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def pid(self):
        # setpriv becomes QEMU.
        return self._process.pid

    def kill(self):
        self._process.kill()
        self._process.wait()

    def _find_stub(self):
        if self._stub_is_unix:
            return f"unix:{self._gdb_socket}"
        stub = next(c for c in self.qmp("query-chardev") if c["label"] == "gdb")
        return re.search(r"127\.0\.0\.1:\d+", stub["filename"]).group()

    # What QEMU's monitor does.

    def qmp(self, command, **arguments):
        return self._qmp.execute(command, **arguments)

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line})

    def status(self):
        """QEMU's word for the state of the guest: running, paused, prelaunch, guest-panicked..."""
        return self.qmp("query-status")["status"]

    def wait_status(self, status, seconds=30):
        limit = time.monotonic() + seconds
        while self.status() != status:
            if time.monotonic() > limit:
                raise Failure(f"the guest is {self.status()}, not {status}")
            time.sleep(0.05)

    def stop(self):
        self.qmp("stop")

    def cont(self):
        self.qmp("cont")

    def dump(self, path, **options):
        """QEMU's own dump-guest-memory; options as QMP has them (format=, begin=, length=...)."""
        self.qmp("dump-guest-memory", paging=False, protocol=f"file:{path}", **options)

    def memory(self, address, size):
        """Physical memory, as QEMU's pmemsave gives it."""
        path = self._directory / "pmemsave"
        self.qmp("pmemsave", val=address, size=size, filename=str(path))
        return path.read_bytes()
