# SPDX-License-Identifier: GPL-2.0-or-later
"""What all servers of this directory share: how one is started, found, and always ended.

A server is a process of the test's own, on the loopback device, with all its files in the test's
directory; nothing of the system's configuration or of its services is used or touched. It ends with
the `with` block, and should the test be killed outright, the kernel kills the server with it.
"""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vm"))

from harness import Failure, run, skip  # noqa: E402

# A cold start of the slowest on a busy machine
START_SECONDS = 60


def free_port():
    """One that nobody listens at. The kernel hands them out in turn, so that no other server gets
    the same before ours has taken it, for all that is likely."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_program(*names):
    """The first of these that is there; servers live where not everybody's PATH leads."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    return skip(f"{names[0]} is not installed")


def fetched(script):
    """The directory that a fetch-*.sh of here has filled."""
    done = run(HERE / script, status=None, timeout=600)
    if done.returncode == 77:
        skip(done.stdout.splitlines()[-1])
    if done.returncode:
        raise Failure(f"{script} failed: {done.stderr}")
    return pathlib.Path(done.stdout.strip())


class Service:
    """A server process. With `port`, it is ready when it listens there; without, when it has
    printed the port that it has chosen."""

    def __init__(self, directory, name, command, port=None, env=None):
        self.directory, self.name = directory, name
        self.port = port
        self._command = ["setpriv", "--pdeathsig", "KILL", *map(str, command)]
        self._env = {**os.environ, **(env or {})}
        self._errors = directory / f"{name}.stderr"
        self._process = None

    def __enter__(self):
        with open(self._errors, "wb") as errors:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=errors if self.port else subprocess.PIPE,
                stderr=errors,
                env=self._env,
                cwd=self.directory,
            )
        try:
            if self.port:
                self._wait_listening()
            else:
                self.port = int(self._process.stdout.readline() or self._failed())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    @property
    def pid(self):
        return self._process.pid

    def _failed(self):
        said = self._errors.read_text(errors="replace")[-1500:]
        raise Failure(f"{self.name} did not start: {said}")

    def _wait_listening(self):
        limit = time.monotonic() + START_SECONDS
        while True:
            if self._process.poll() is not None or time.monotonic() > limit:
                self._failed()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)


class WebServer(Service):
    """One that writes a line of each request into access.log, and refuses as busy servers do while
    there is a file `busy` (503) or `throttle` (429) in its directory, with "Retry-After: 1"."""

    REFUSALS = {"busy": 503, "throttle": 429}

    def requests(self):
        """What it has answered: (seconds, status, method, path, bytes that came) each."""
        with contextlib.suppress(FileNotFoundError):
            return [_request(line) for line in self._log().splitlines()]
        return []

    def refusals(self):
        return sum(request[1] in self.REFUSALS.values() for request in self.requests())

    @contextlib.contextmanager
    def refusing(self, how, times=1):
        """While this lasts, so many requests are refused, and no more (but for those that come at
        the same time)."""
        flag, over = self.directory / how, threading.Event()
        before = self.refusals()

        def watch():
            while not over.is_set() and self.refusals() < before + times:
                time.sleep(0.005)
            flag.unlink(missing_ok=True)

        flag.touch()
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def stored(self, path):
        return self.directory / "store" / path

    def _log(self):
        # A line may be half written.
        text = (self.directory / "access.log").read_text()
        return text[: text.rfind("\n") + 1]


def _request(line):
    seconds, status, method, *path, size = line.split(" ")
    return float(seconds), int(status), method, " ".join(path), int(size)
