# SPDX-License-Identifier: GPL-2.0-or-later
"""A small Linux guest in QEMU, with a gdb stub on it and a QMP monitor beside it.

    with Guest(directory, machine="q35", cpu="max") as guest:
        guest.wait_ready()
        guest.stop()
        guest.dump(directory / "reference")

The guest ends with the block, whatever happens in it; and should this process be killed outright,
the kernel kills QEMU with it. Nothing here chooses a port or a path that somebody else could take
in between: TCP ports are the kernel's choice, and sockets lie in the test's own directory.
"""

import json
import re
import socket
import subprocess
import time

from harness import HERE, Failure, need, run, skip

QEMU = "qemu-system-x86_64"
READY = "rspdump-guest: ready"

# An emulated boot takes 4 seconds on a fast machine and 40 on a slow, busy one.
BOOT_SECONDS = 120


def kernel(debug=False):
    """The kernel for the guests, as fetch-kernel.sh tells of it: a dict of its words."""
    done = run(
        HERE / "fetch-kernel.sh", *(["--debug"] if debug else []), status=None, timeout=900
    )
    if done.returncode == 77:
        skip(done.stdout.splitlines()[-1])
    if done.returncode:
        raise Failure(f"fetch-kernel.sh failed: {done.stderr}")
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


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


class Guest:
    """See the module. The options:

    machine, cpu, memory   as QEMU takes them; there are always two vCPUs
    modules                names of the kernel modules that the guest loads, in this order
    append                 words for the kernel's command line
    gdb                    "tcp" or "unix": where the stub listens
    devices                for -device each
    within                 a command that starts QEMU
    extra                  more of QEMU's command line
    linux                  False: no kernel at all, and QEMU waits at the reset vector (-S)
    """

    def __init__(
        self,
        directory,
        machine="q35",
        cpu="max",
        memory="256M",
        modules=(),
        append=(),
        gdb="tcp",
        devices=(),
        extra=(),
        within=(),
        linux=True,
    ):
        need(QEMU, "setpriv")
        self._directory = directory
        self._serial = directory / "serial"
        self._stderr = directory / "qemu.stderr"
        self._gdb_socket = directory / "gdb"
        self._stub_is_unix = gdb == "unix"
        self._process = None
        # setpriv because QEMU has no option to die with its parent.
        self._command = ["setpriv", "--pdeathsig", "KILL", *within, QEMU]
        self._command += ["-no-user-config", "-nodefaults", "-display", "none", "-no-reboot"]
        self._command += ["-machine", machine, "-accel", "tcg", "-cpu", cpu]
        self._command += ["-smp", "2", "-m", memory]
        self._command += ["-serial", f"file:{self._serial}"]
        if self._stub_is_unix:
            self._command += ["-gdb", f"unix:{self._gdb_socket},server=on,wait=off"]
        else:
            self._command += ["-gdb", "tcp:127.0.0.1:0"]
        for device in devices:
            self._command += ["-device", device]
        if linux:
            self._command += self._linux(modules, append)
        else:
            self._command += ["-S"]
        self._command += list(extra)

    def _linux(self, modules, append):
        self.kernel = kernel()
        initrd = self._directory / "initrd"
        paths = [f"{self.kernel['modules']}/{module}.ko" for module in modules]
        done = run(HERE / "make-initrd.sh", initrd, *paths, status=None)
        if done.returncode == 77:
            skip(done.stdout.splitlines()[-1])
        if done.returncode:
            raise Failure(f"make-initrd.sh failed: {done.stderr}")
        words = " ".join(["console=ttyS0", "panic=0", *append])
        return ["-kernel", self.kernel["vmlinuz"], "-initrd", str(initrd), "-append", words]

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

    # What the guest says on its serial console.

    def console(self):
        try:
            return self._serial.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_for(self, text, seconds=BOOT_SECONDS):
        """Waits until the console has shown the text."""
        limit = time.monotonic() + seconds
        while text not in self.console():
            if self._process.poll() is not None:
                raise Failure(f"QEMU has ended: {self._stderr.read_text()}")
            if time.monotonic() > limit:
                raise Failure(f"no {text!r} within {seconds} s; console: {self.console()[-1500:]}")
            time.sleep(0.05)

    def wait_ready(self):
        self.wait_for(READY)

    def told(self, word):
        """What the guest's /init has told under a word, the rest of each such line."""
        return re.findall(rf"^rspdump-guest: {word} (.*?)\r?$", self.console(), re.MULTILINE)

    def wait_alive(self, seconds=30):
        """Waits until the guest has counted on: it runs, whatever QEMU thinks of it."""
        shown = len(self.console())
        limit = time.monotonic() + seconds
        while "second" not in self.console()[shown:]:
            if time.monotonic() > limit:
                raise Failure("the guest does not run")
            time.sleep(0.05)

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
