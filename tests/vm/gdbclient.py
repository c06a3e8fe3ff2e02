# SPDX-License-Identifier: GPL-2.0-or-later
"""The least of a gdb that the tests need: somebody who holds a stub, or asks it one thing."""

import socket

from harness import Failure


class GdbClient:
    """A connection to a stub; a guest stands still from here on, until somebody detaches."""

    def __init__(self, target):
        if target.startswith("unix:"):
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(30)
            self._socket.connect(target.removeprefix("unix:"))
        else:
            host, port = target.rsplit(":", 1)
            self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._stream = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()
        self._socket.close()

    def ask(self, packet):
        """Sends a packet and returns the reply to it, as text."""
        self._socket.sendall(f"+${packet}#{sum(packet.encode()) & 0xff:02x}".encode())
        reply = self._receive()
        # QEMU before 8.1 greets whoever stops a running guest with a stop reply nobody asked for.
        return self._receive() if reply.startswith("T") else reply

    def _receive(self):
        byte = self._stream.read(1)
        while byte == b"+":
            byte = self._stream.read(1)
        if byte != b"$":
            raise Failure(f"the stub said {byte!r} where a packet begins")
        text = b""
        while (byte := self._stream.read(1)) not in (b"#", b""):
            text += byte
        self._stream.read(2)
        return text.decode()
