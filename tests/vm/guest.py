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


class Guest(Qemu):
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
        self._serial = directory / "serial"
        arguments = ["-machine", machine, "-cpu", cpu, "-smp", "2", "-m", memory]
        arguments += ["-serial", f"file:{self._serial}"]
        for device in devices:
            arguments += ["-device", device]
        arguments += self._linux(directory, modules, append) if linux else ["-S"]
        super().__init__(directory, QEMU, [*arguments, *extra], gdb=gdb, within=within)

    def _linux(self, directory, modules, append):
        self.kernel = kernel()
        initrd = directory / "initrd"
        paths = [f"{self.kernel['modules']}/{module}.ko" for module in modules]
        done = run(HERE / "make-initrd.sh", initrd, *paths, status=None)
        if done.returncode == 77:
            skip(done.stdout.splitlines()[-1])
        if done.returncode:
            raise Failure(f"make-initrd.sh failed: {done.stderr}")
        words = " ".join(["console=ttyS0", "panic=0", *append])
        return ["-kernel", self.kernel["vmlinuz"], "-initrd", str(initrd), "-append", words]

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

