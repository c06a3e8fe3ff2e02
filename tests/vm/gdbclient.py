# SPDX-License-Identifier: GPL-2.0-or-later
"""The least of a gdb that the tests need: somebody who holds a stub, or asks it one thing."""

import re
import socket
from collections import namedtuple

from harness import Failure


Register = namedtuple("Register", "number size")  # in bytes


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
        framed = f"${packet}#{sum(packet.encode()) & 0xff:02x}".encode()
        self._socket.sendall(b"+" + framed)
        reply = self._receive(framed)
        # QEMU before 8.1 greets whoever stops a running guest with a stop reply nobody asked for.
        return self._receive(framed) if reply.startswith("T") else reply

    def _receive(self, framed):
        byte = self._stream.read(1)
        while byte in (b"+", b"-"):
            # To QEMU the beginning of a packet is the end of one that a client died in.
            if byte == b"-":
                self._socket.sendall(framed)
            byte = self._stream.read(1)
        if byte != b"$":
            raise Failure(f"the stub said {byte!r} where a packet begins")
        text = b""
        while (byte := self._stream.read(1)) not in (b"#", b""):
            text += byte
        self._stream.read(2)
        return text.decode("latin-1")

    # The registers of a vCPU.

    def registers(self):
        """What the target description tells: a dict from names to Registers."""
        found, number = {}, 0
        for attributes in re.findall(r"<reg\s([^>]*)>", self._description("target.xml")):
            told = dict(re.findall(r"""([\w-]+)\s*=\s*["']([^"']*)["']""", attributes))
            number = int(told.get("regnum", number))
            found[told["name"]] = Register(number, int(told["bitsize"]) // 8)
            number += 1
        return found

    def _description(self, name):
        """An annex of the description, with those in it that it includes."""
        text, more = "", "m"
        while more == "m":
            reply = self.ask(f"qXfer:features:read:{name}:{len(text):x},7f0")
            more = reply[:1]
            if more not in ("m", "l"):
                raise Failure(f"the stub has no {name}: {reply!r}")
            text += re.sub(r"}(.)", lambda m: chr(ord(m[1]) ^ 0x20), reply[1:], flags=re.S)
        text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
        include = r"""<xi:include\s+href=["']([^"']+)["']\s*/>"""
        return re.sub(include, lambda m: self._description(m[1]), text)

    def select(self, cpu):
        """Chooses the vCPU, from 0, that registers are of."""
        self._expect_ok(f"Hg{cpu + 1:x}")

    def set_register(self, register, value):
        """Bytes as the stub has them."""
        self._expect_ok(f"P{register.number:x}={value.hex()}")

    def get_register(self, register):
        return bytes.fromhex(self.ask(f"p{register.number:x}"))

    def _expect_ok(self, packet):
        reply = self.ask(packet)
        if reply != "OK":
            raise Failure(f"the stub answers {packet} by {reply!r}")
