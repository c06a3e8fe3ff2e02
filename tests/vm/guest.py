# SPDX-License-Identifier: GPL-2.0-or-later
"""A small Linux guest in QEMU.

    with Guest(directory, machine="q35", cpu="max") as guest:
        guest.wait_ready()
        guest.stop()
        guest.dump(directory / "reference")
"""

import re
import time

from harness import HERE, Failure, run, skip
from qemu import BOOT_SECONDS, Qemu

QEMU = "qemu-system-x86_64"
READY = "rspdump-guest: ready"


def helper(script, *arguments, **options):
    """Runs a script of this directory that may find that something is not here."""
    done = run(HERE / script, *arguments, status=None, **options)
    if done.returncode == 77:
        skip(done.stdout.splitlines()[-1])
    if done.returncode:
        raise Failure(f"{script} failed: {done.stderr}")
    return done.stdout


def words(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def kernel(debug=False):
    """The kernel for the guests, as fetch-kernel.sh tells of it: a dict of its words."""
    return words(helper("fetch-kernel.sh", *(["--debug"] if debug else []), timeout=900))


def kgdb_kernel():
    """A kernel with kgdb, as build-kgdb-kernel.sh tells of it: a dict of its words."""
    return words(helper("build-kgdb-kernel.sh", timeout=1500))


def foreign_kernel(name):
    """A kernel for another CPU, as fetch-foreign.sh tells of it: a dict of its words."""
    return words(helper("fetch-foreign.sh", name, timeout=900))


class Guest(Qemu):
    """See the module. The options:

    machine, cpu, memory   as QEMU takes them; there are always two vCPUs
    modules                names of the kernel modules that the guest loads, in this order
    append                 words for the kernel's command line
    gdb                    "tcp" or "unix": where the stub listens
    devices                for -device each
    within                 a command that starts QEMU
    extra                  more of QEMU's command line
    program                the QEMU to run
    foreign                the kernel of another CPU, by its name in fetch-foreign.sh
    own_kernel             a kernel of the test's own, in words as kernel() has them
    terminal               what the kernel calls the first serial port
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
        program=QEMU,
        foreign=None,
        own_kernel=None,
        terminal="ttyS0",
    ):
        self._serial = directory / "serial"
        arguments = ["-machine", machine, "-cpu", cpu, "-smp", "2", "-m", memory]
        arguments += ["-serial", f"file:{self._serial}"]
        for device in devices:
            arguments += ["-device", device]
        if own_kernel:
            self.kernel = own_kernel
        else:
            self.kernel = foreign_kernel(foreign) if foreign else kernel()
        arguments += self._linux(directory, foreign, modules, [f"console={terminal}", *append])
        super().__init__(directory, program, [*arguments, *extra], gdb=gdb, within=within)

    def _linux(self, directory, foreign, modules, append):
        initrd = directory / "initrd"
        paths = [f"{self.kernel['modules']}/{module}.ko" for module in modules]
        environment = {"BUSYBOX": self.kernel["busybox"]} if foreign else None
        helper("make-initrd.sh", initrd, *paths, env=environment)
        image = self.kernel["kernel" if foreign else "vmlinuz"]
        return ["-kernel", image, "-initrd", str(initrd), "-append", " ".join(["panic=0", *append])]

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

    def wait_ready(self, seconds=BOOT_SECONDS):
        self.wait_for(READY, seconds)

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
