# SPDX-License-Identifier: GPL-2.0-or-later
"""A certificate authority that exists for one test, and what it signs."""

import ssl

from service import run


class Authority:
    """.ca is what clients are to trust; .certificate and .key are a server's on this host."""

    def __init__(self, directory, name="ca"):
        self.ca = directory / f"{name}.pem"
        self.certificate = directory / f"{name}.server.pem"
        self.key = directory / f"{name}.server.key"
        self._make(directory, name)

    def client_context(self):
        """For clients in Python."""
        return ssl.create_default_context(cafile=self.ca)

    def _make(self, directory, name):
        ca_key, request = directory / f"{name}.key", directory / f"{name}.csr"
        extensions = directory / f"{name}.ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        run(
            *("openssl", "req", "-x509", *new_key, "-days", "2", "-subj", f"/CN=rspdump {name}"),
            *("-addext", "keyUsage=critical,keyCertSign", "-keyout", ca_key, "-out", self.ca),
        )
        run(
            *("openssl", "req", *new_key, "-subj", "/CN=localhost"),
            *("-keyout", self.key, "-out", request),
        )
        run(
            *("openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key),
            *("-days", "2", "-extfile", extensions, "-out", self.certificate),
        )
