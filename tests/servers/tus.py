# SPDX-License-Identifier: GPL-2.0-or-later
"""The server that those who made the tus protocol have made: uploads that go on at the byte."""

from service import HERE, Service, fetched, find_program

TOKEN = "t0ken-of-tus"


class Tus(Service):
    def __init__(self, directory, authority, size_max=1 << 30):
        home = directory / "tus"
        home.mkdir()
        modules = fetched("fetch-node-servers.sh") / "node_modules"
        command = [find_program("node"), HERE / "tus_server.mjs", home, size_max, modules]
        command += [authority.certificate, authority.key]
        super().__init__(home, "tus", command, env={"TUS_TOKEN": TOKEN})

    @property
    def url(self):
        return f"https://localhost:{self.port}/files"

    def stored(self):
        """The files of uploads, whole or not; beside each, a .json tells of it."""
        return [p for p in self.directory.iterdir() if not p.suffix and p.name != "tus"]
