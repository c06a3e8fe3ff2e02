# SPDX-License-Identifier: GPL-2.0-or-later
"""What is expected of uploads to every store, with the store's own ways in stores.py."""

import contextlib
import hashlib

from faults import Link
from tls import Authority
from uploads import (
    CORE_MIB,
    EXISTS,
    MIB,
    NOT_UPLOADED,
    Client,
    check,
    check_equal,
    check_opens,
    check_same,
    make_core,
    need,
    seed,
    step,
)

# What was on its way when a connection was cut, at most, and the headers of requests
SLACK = 8 * MIB
PART = 16 * MIB



@contextlib.contextmanager
def uploads_to(make_store, directory):
    """All of it; the story that it yields is for what comes in addition."""
    need("openssl", "setpriv", "readelf")
    authority = Authority(directory)
    core = make_core(directory)
    with make_store(directory, authority) as store:
        story = Story(store, directory, authority, core)
        story.success()
        story.existing()
        story.wrong_credentials()
        story.expired()
        with store.front() as front:
            story.too_large(front)
            story.busy(front)
        story.cut()
        story.killed()
        yield story


class Story:
    def __init__(self, store, directory, authority, core):
        self.store, self.directory, self.core = store, directory, core
        self.client = Client(directory, authority, store.secrets)
        self.random = seed()
        self.size = core.stat().st_size

    def upload(self, name, *options, at=None, **rest):
        url = self.store.url(name, at)
        words = (*options, *self.store.options(self.client))
        return self.client.upload(self.core, url, *words, **self.store.environment(), **rest)

    def report(self, name, *options, at=None):
        """An upload that --json tells of."""
        url = self.store.url(name, at)
        words = (*options, *self.store.options(self.client))
        said = self.client.report(
            "upload", *words, self.core, url, **self.store.environment()
        )["upload"]
        check_equal(said["bytes"], self.size, "--json: bytes")
        return said

    def check_there(self, name):
        check_same(self.store.fetch(name), self.core, name)
        check(not self.resume_file().exists(), "the resume file is still there")

    def resume_file(self):
        return self.core.with_name(self.core.name + ".upload")

    def success(self):
        step("an upload")
        said = self.report("core")
        digest = hashlib.sha256(self.core.read_bytes()).hexdigest()
        check_equal(said["sha256"], digest, "--json: sha256")
        check_equal(said["retries"], 0, "--json: retries")
        check("?" not in said["url"], f"--json: url has a query: {said['url']}")
        stored = self.store.fetch("core")
        check_same(stored, self.core, "core")
        check_opens(stored, self.directory)

    def existing(self):
        if not self.store.tells_existing:
            return
        step("an object that is there already")
        self.refused("core", "exist", status=EXISTS)
        if self.store.replaces:
            self.upload("core", "--force")
            self.check_there("core")
        else:
            self.upload("core", "--force", status=NOT_UPLOADED)

    def refused(self, name, *words, url=None, status=NOT_UPLOADED, options=None, environment=None):
        url = url or self.store.url(name)
        options = self.store.options(self.client) if options is None else options
        environment = self.store.environment() if environment is None else environment
        return self.client.refused(
            self.core, url, *options, status=status, words=words, **environment
        )

    def wrong_credentials(self):
        step("wrong credentials")
        url, options = self.store.wrong(self.client, "wrong")
        environment = self.store.wrong_environment()
        said = self.refused("wrong", url=url, options=options, environment=environment)
        check("401" in said.stderr or "403" in said.stderr, f"no status in: {said.stderr}")
        check(self.store.fetch("wrong") is None, "it was let in")

    def expired(self):
        if not hasattr(self.store, "expired"):
            return
        step("a signature that is over")
        self.refused("expired", "403", "expired", url=self.store.expired("expired"))
        check(self.store.fetch("expired") is None, "it was let in")

    def too_large(self, front):
        step("too large for the server")
        self.refused("large", "413", url=self.store.url("large", front.small_port))

    def busy(self, front):
        for how in ("busy", "throttle"):
            step(f"{front.REFUSALS[how]} and Retry-After")
            with front.refusing(how):
                said = self.report(how, at=front.port)
            check(said["retries"] >= 1, f"--json: retries: {said['retries']}")
            requests = front.requests()
            refused = [n for n, r in enumerate(requests) if r[1] == front.REFUSALS[how]]
            check(refused, "nothing was refused")
            # The one that was refused last is the one that has waited, if several were at once.
            later = [r[0] for r in requests[refused[-1] + 1 :] if r[1] < 400]
            waited = later[0] - requests[refused[0]][0] if len(refused) == 1 else None
            if waited is not None and self.store.resumes != "part":
                check(waited > 0.9, f"it waited {waited} seconds, not the 1 that was asked for")
            self.check_there(how)

    def cut(self):
        after = self.random.randrange(25 * MIB, 30 * MIB)
        step(f"the connection is lost after {after} bytes")
        with Link(self.store.port, "cut", after) as link:
            said = self.report("cut", at=link.port)
            check(link.happened.is_set(), "nothing was lost")
            check(said["retries"] >= 1, f"--json: retries: {said['retries']}")
            self.check_there("cut")
            self.check_sent(link.bytes, self.size)

    def check_sent(self, sent, size):
        """No more than what was not at the store had to be sent again."""
        again = {"byte": 0, "part": PART, None: CORE_MIB * MIB}[self.store.resumes]
        check(sent < size + again + SLACK, f"{sent} bytes were sent for {size}")

    def most_again(self, after):
        """What there is to send when a client that had sent so much goes on."""
        if self.store.resumes == "byte":
            return self.size - after + SLACK
        # One part of the three may have been all there.
        return 2 * PART + SLACK

    def killed(self):
        after = self.random.randrange(33 * MIB, 36 * MIB)
        step(f"killed after {after} bytes, and again")
        with Link(self.store.port, "hold", after) as link:
            url = self.store.url("killed", link.port)
            options = self.store.options(self.client)
            process = self.client.start(
                "upload", *options, self.core, url, **self.store.environment()
            )
            try:
                link.wait()
            finally:
                self.client.kill(process)
            link.drop()
            check_equal(self.core.stat().st_size, self.size, "the core's size afterwards")
            if self.store.resumes:
                resume = self.resume_file()
                check(resume.exists(), "there is no resume file")
                check_equal(resume.stat().st_mode & 0o777, 0o600, "its mode")
                self.client.check_discreet("the resume file", resume.read_text())
            before = link.bytes
            self.upload("killed", at=link.port)
            self.check_there("killed")
            if self.store.resumes:
                again = link.bytes - before
                check(again < self.most_again(after), f"{again} bytes were sent again")
