# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenStack Swift's S3 interface: it checks every signature, and wants parts of 5 MiB at least."""

import importlib.util
import urllib.error
import urllib.request

from service import HERE, Service, skip
from signatures import presigned

ACCESS_KEY, SECRET = "test:tester", "sEcret/of+tester"


class Swift(Service):
    def __init__(self, directory, authority):
        home = directory / "swift"
        home.mkdir()
        if not importlib.util.find_spec("swift"):
            skip("python3-swift is not installed")
        command = ["/usr/bin/python3", "-B", HERE / "swift_server.py", home, ACCESS_KEY, SECRET]
        command += [authority.certificate, authority.key]
        super().__init__(home, "swift", command)
        self._context = authority.client_context()

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def request(self, method, path, query=(), data=None):
        """What the store says of it, as bytes, or None when there is no such thing."""
        url = presigned(method, f"{self.url}/{path}", ACCESS_KEY, SECRET, query=query)
        request = urllib.request.Request(url, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60, context=self._context) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None

    def create_bucket(self, name):
        self.request("PUT", name)
