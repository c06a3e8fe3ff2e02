# SPDX-License-Identifier: GPL-2.0-or-later
"""Azurite, Microsoft's emulator of Azure's storage: blobs, by shared access signatures."""

import urllib.error
import urllib.request

from service import Service, fetched, find_program, free_port
from signatures import account_access, shared_access

ACCOUNT = "cores"
# Any key does; this one is of the form that Azure's have.
KEY = "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudC1jb3Jlcy1mb3ItdGVzdHMtb2YtYmxvYnMtb25seSEhISEhISEhIQ=="


class Azurite(Service):
    def __init__(self, directory, authority):
        home = directory / "azurite"
        home.mkdir()
        port = free_port()
        modules = fetched("fetch-node-servers.sh") / "node_modules"
        command = [find_program("node"), modules / ".bin" / "azurite-blob", "--silent"]
        # Telemetry would be sent to the network.
        command += ["--disableTelemetry", "--skipApiVersionCheck", "--location", home]
        command += ["--blobHost", "127.0.0.1", "--blobPort", str(port)]
        command += ["--cert", authority.certificate, "--key", authority.key]
        super().__init__(
            home, "azurite", command, port, env={"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
        )

        self._context = authority.client_context()
        self.url = f"https://localhost:{port}"

    def signed(self, base, path, **options):
        """A blob's URL with a signature, see shared_access(); `base` is a way to the server."""
        return shared_access(f"{base}/{ACCOUNT}/{path}", ACCOUNT, KEY, **options)

    def request(self, method, path, query="", data=None):
        """What the store says of it, as bytes, or None when there is no such thing."""
        url = f"{self.url}/{ACCOUNT}/{path}{query and '?'}{query}"
        signed = account_access(url, ACCOUNT, KEY)
        request = urllib.request.Request(signed, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60, context=self._context) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None

    def create_container(self, name):
        self.request("PUT", name, "restype=container", data=b"")
