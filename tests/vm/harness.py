# SPDX-License-Identifier: GPL-2.0-or-later
"""What every test of this directory uses: running the program, checking, giving up.

A test is a program that tells a story top to bottom. It ends with status 0 when all was as it
should be, with 77 when something it needs is not here (the last line of its output says what), and
with anything else when a check failed. The runner sets RSPDUMP, BUILD_DIR, SRC_DIR and TMPDIR.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent

# No step of a test takes longer than this, on the slowest machine that we know of, unless it hangs.
STEP_SECONDS = 120


class Failure(Exception):
    """A check that failed, told in one line or a few."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def check_equal(got, expected, what):
    check(got == expected, f"{what}: expected {expected!r}, got {got!r}")


def skip(reason):
    print(f"{reason}")
    sys.exit(77)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed")


_start = time.monotonic()


def step(text):
    """Says what comes next; a log that stops in the middle then tells where."""
    print(f"[{time.monotonic() - _start:6.1f}] {text}", flush=True)


def run(*command, status=0, timeout=STEP_SECONDS, env=None, cwd=None):
    """Runs a program to its end. Returns its subprocess.CompletedProcess, with text in it."""
    command = [str(word) for word in command]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=None if env is None else {**os.environ, **env},
            cwd=cwd,
        )
    except subprocess.TimeoutExpired as expired:
        raise Failure(f"{' '.join(command)}: did not end within {timeout} seconds") from expired
    if status is not None and done.returncode != status:
        raise Failure(
            f"{' '.join(command)}: expected exit status {status}, got {done.returncode}\n"
            f"--- stdout\n{done.stdout[-2000:]}\n--- stderr\n{done.stderr[-2000:]}"
        )
    return done


def rspdump_path():
    path = os.environ.get("RSPDUMP")
    if not path:
        print("set RSPDUMP to the program to test", file=sys.stderr)
        sys.exit(2)
    return path


def rspdump(*arguments, status=0, **options):
    return run(rspdump_path(), *arguments, status=status, **options)


# What runs under it may not look into other processes, even as root.
WITHOUT_PTRACE = ("setpriv", "--bounding-set", "-sys_ptrace")


def confined_rspdump(*arguments, status=0, **options):
    """The program where the memory of QEMU's process is not to be had."""
    if os.geteuid() != 0:
        skip("only root can give up what it takes to read QEMU's memory")
    return run(*WITHOUT_PTRACE, rspdump_path(), *arguments, status=status, **options)


class Background:
    """The program while it runs, its progress told in lines of JSON. Memory does not come through
    the host pipe: that is over too soon."""

    def __init__(self, *arguments, **options):
        self._process = subprocess.Popen(
            [rspdump_path(), "--progress", "json", "--lane", "rsp", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def wait_copying(self):
        """Waits until some memory, but not all, has been copied."""
        for line in self._process.stderr:
            if line.startswith("{"):
                state = json.loads(line)
                check(state.get("status") == "active", f"no longer at it: {line}")
                if state["completed"] > 0:
                    check(state["completed"] < state["total"], "it was too fast for this test")
                    return
        raise Failure("it has ended without a word of progress")

    @property
    def pid(self):
        return self._process.pid

    def send(self, number):
        self._process.send_signal(number)

    def wait(self, status):
        """Waits for its end; returns what else it has said on stderr."""
        try:
            _, said = self._process.communicate(timeout=STEP_SECONDS)
        except subprocess.TimeoutExpired as expired:
            raise Failure(f"rspdump did not end within {STEP_SECONDS} seconds") from expired
        check_equal(self._process.returncode, status, f"exit status (stderr: {said})")
        return said


def check_complaint(done, *words):
    """A program that gives up says so in one line on stderr, and that line has these words."""
    lines = done.stderr.splitlines()
    check(len(lines) == 1, f"expected one line on stderr, got {lines}")
    check(lines[0].startswith("rspdump: "), f"not in the program's name: {lines[0]}")
    for word in words:
        check(word.lower() in lines[0].lower(), f"{word!r} is not in: {lines[0]}")


def scratch():
    """A directory for the files of this test; the runner gives each test its own TMPDIR."""
    return pathlib.Path(tempfile.mkdtemp(prefix="vm."))


def tell(story):
    """Runs story(directory) as the test: cleans up behind it and turns its end into a status."""
    # Without this, SIGTERM (a runner whose patience is over) would end us without any cleanup.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    directory = scratch()
    try:
        story(directory)
        step("as it should be")
    except Failure as failure:
        step("FAILED")
        print(failure, flush=True)
        sys.exit(1)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
