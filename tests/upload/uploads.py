# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of uploads share: a core to upload, and the program that uploads it.

Whatever the program says is looked through for secrets, in every run of it.
"""

import contextlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
SERVERS = HERE.parent / "servers"
sys.path[1:1] = [str(SERVERS), str(HERE.parent / "vm"), str(HERE.parent / "stub")]

import synthetic  # noqa: E402
from harness import (  # noqa: E402, F401
    STEP_SECONDS,
    Failure,
    check,
    check_complaint,
    check_equal,
    need,
    run,
    rspdump_path,
    skip,
    step,
    tell,
)
from service import Service  # noqa: E402

MIB = 1 << 20

# Exit statuses
USAGE, UNREACHABLE, NOT_UPLOADED, EXISTS = 2, 4, 7, 8

# Three parts where a store takes parts
CORE_MIB = 40


def seed():
    """Where faults happen is another place every time; the log tells how to have it again."""
    number = int(os.environ.get("RSPDUMP_SEED") or random.randrange(1 << 32))
    print(f"RSPDUMP_SEED={number}", flush=True)
    return random.Random(number)


class Stub(Service):
    """The scripted stub, with a machine of synthetic memory; it serves one client."""

    def __init__(self, directory, mib=CORE_MIB):
        self._log = directory / "stub.log"
        program = pathlib.Path(os.environ["BUILD_DIR"]) / "tests" / "stub" / "scripted-stub"
        machine = HERE.parent / "stub" / "x86_64.machine"
        settings = synthetic.settings(mib * MIB, 0x20020)
        command = [program, "-l", "127.0.0.1:0", "-o", self._log, "-e", settings, machine]
        super().__init__(directory, "stub", command)

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def _has_heard(self, beginning):
        return self._log.exists() and f"\n> {beginning}" in "\n" + self._log.read_text()

    def has_let_go(self):
        """Whether the guest was told to run."""
        return self._has_heard("D")

    def was_asked(self):
        """Whether anybody has said anything to it."""
        return self._has_heard("")


def make_core(directory, mib=CORE_MIB, form="elf", name="core"):
    """A core of synthetic memory, made by the program."""
    core = directory / name
    with Stub(directory, mib) as stub:
        run(rspdump_path(), "-q", "-F", form, "-o", core, stub.target)
    return core


def check_end(done, *words):
    """One line is about the end, and has these words; those on what is tried again are warnings."""
    lines = [line for line in done.stderr.splitlines() if ": warning: " not in line]
    check_complaint(subprocess.CompletedProcess([], 0, "", "\n".join(lines)), *words)


class Client:
    """The program, with what it takes from the environment. `secrets` are strings that it may know
    but not say."""

    def __init__(self, directory, authority, secrets=(), **environment):
        self._secrets = set(secrets)
        self.directory = directory
        # Passwords come from ~/.netrc; what the tester's own environment has is not for tests.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "CURL_", "SSL_", "RSPDUMP_S3", "CI_", "NETRC"))
            and not name.lower().endswith("_proxy")
        }
        home = directory / "home"
        home.mkdir(exist_ok=True)
        self.environment = {**kept, "HOME": str(home), "CURL_CA_BUNDLE": str(authority.ca)}
        self.environment |= environment

    def netrc(self, user, password):
        """The password for servers of this host."""
        path = pathlib.Path(self.environment["HOME"]) / ".netrc"
        path.write_text(f"machine localhost login {user} password {password}\n")
        path.chmod(0o600)

    def header_file(self, text, name="header"):
        path = self.directory / name
        path.write_text(f"{text}\n")
        path.chmod(0o600)
        return f"@{path}"

    def start(self, *arguments, **environment):
        return subprocess.Popen(
            [rspdump_path(), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**self.environment, **environment},
            cwd=self.directory,
        )

    def wait(self, process, status=0, timeout=STEP_SECONDS):
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as expired:
            process.kill()
            _, stderr = process.communicate()
            raise Failure(f"it did not end within {timeout} seconds: {stderr}") from expired
        done = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
        self.check_discreet("what it says", stdout + stderr)
        check(
            status in (None, done.returncode),
            f"{' '.join(process.args)}: expected exit status {status}, got {done.returncode}\n"
            f"--- stdout\n{stdout[-2000:]}\n--- stderr\n{stderr[-2000:]}",
        )
        return done

    def __call__(self, *arguments, status=0, timeout=STEP_SECONDS, **environment):
        """Runs the program to its end."""
        return self.wait(self.start(*arguments, **environment), status, timeout)

    def upload(self, core, url, *options, **rest):
        return self("upload", *options, core, url, **rest)

    def report(self, *arguments, **rest):
        """What --json says of the upload, and the rest of it, too."""
        done = self(*arguments, "--json", **rest)
        return json.loads(done.stdout)

    def refused(self, core, url, *options, status=NOT_UPLOADED, words=(), **rest):
        """An upload that fails is told of in one line."""
        done = self.upload(core, url, *options, status=status, **rest)
        check_end(done, *words)
        return done

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        _, stderr = process.communicate()
        self.check_discreet("what it says", stderr)

    def check_discreet(self, what, text):
        for secret in self._secrets:
            check(secret not in text, f"{what} has a secret in it, {secret!r}:\n{text[-3000:]}")

    def may_not_say(self, *secrets):
        self._secrets.update(secrets)


def wait_until(is_so, otherwise):
    limit = time.monotonic() + STEP_SECONDS
    while not is_so():
        check(time.monotonic() < limit, otherwise)
        time.sleep(0.02)


class Memory:
    """The most that a process has had, in bytes. What wait4() tells is no less than what the test
    itself had when it started the process, so /proc is looked at, again and again."""

    def __init__(self, process):
        self.most = 0
        self._path = pathlib.Path(f"/proc/{process.pid}/status")
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        with contextlib.suppress(OSError, AttributeError):
            while True:
                kib = re.search(r"^VmHWM:\s+(\d+) kB", self._path.read_text(), re.MULTILINE)
                self.most = max(self.most, int(kib[1]) * 1024)
                time.sleep(0.02)

    def check(self, limit):
        self._thread.join()
        print(f"  {self.most // MIB} MiB of memory at most")
        check(0 < self.most < limit, f"{self.most // MIB} MiB of memory")


def check_same(stored, core, what):
    """The object is the core, byte for byte. `stored` is its bytes, or its path."""
    check(stored is not None, f"{what}: it is not there")
    if not isinstance(stored, bytes):
        check(stored.exists(), f"{what}: it is not there")
        stored = stored.read_bytes()
    check(stored == core.read_bytes(), f"{what}: the object is not the core")


def check_opens(stored, directory, elf=None):
    """An ELF core that readelf has nothing to complain of; or a kdump core whose pages are those of
    an ELF core, as libkdumpfile reads both."""
    path = directory / "downloaded"
    path.write_bytes(stored if isinstance(stored, bytes) else stored.read_bytes())
    if path.read_bytes()[:4] == b"\x7fELF":
        done = run("readelf", "-hlnW", path, env={"LC_ALL": "C"})
        check_equal(done.stderr, "", "what readelf complains of")
        check("NT_PRSTATUS" in done.stdout, f"readelf sees no vCPU: {done.stdout}")
        return
    from compare_cores import compare

    comparison = compare(path, elf)
    same = comparison.a_is_in_b and not comparison.only_b and comparison.equal
    check(same, f"the kdump core is not the ELF core:\n{comparison}")
