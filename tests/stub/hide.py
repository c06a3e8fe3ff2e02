#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's stub of an x86-64 guest with most of it hidden, so that it looks like Cloud Hypervisor's.

    hide.py HOST:PORT|unix:PATH

Serves one debugger on its standard input and output, as the target '|hide.py ...'. There is no
PhyMemMode, no monitor, no register but those of the Rust crate gdbstub, and what cannot be read is
E79. Requests may come many at a time; acknowledgements go off when they are asked to.
"""

import os
import socket
import sys

FEATURES = (
    b"PacketSize=1000;vContSupported+;multiprocess+;QStartNoAckMode+;hwbreak+;qXfer:features:read+"
)
TARGET = (
    b'<target version="1.0"><architecture>i386:x86-64</architecture>'
    b'<feature name="org.gnu.gdb.i386.sse"></feature></target>'
)
HIDDEN = (b"qqemu.", b"Qqemu.", b"qRcmd", b"qGDBServerVersion", b"vAttach", b"p", b"x")

# Of QEMU's `g`: general registers, rip, eflags and selectors; then come fs_base to efer, of 9
# registers of 8 bytes, which are hidden; then st0 to mxcsr.
SEEN, HIDDEN_BYTES = 17 * 8 + 7 * 4, 9 * 8
CRATE_BYTES = 0x218


def frame(body):
    return b"$" + body + b"#%02x" % (sum(body) & 0xFF)


class Reader:
    """Packets out of a stream of bytes; signs in between are dropped."""

    def __init__(self, receive):
        self._receive = receive
        self._bytes = b""

    def packet(self):
        """The next one's body, or None at the end."""
        while True:
            start = self._bytes.find(b"$")
            end = self._bytes.find(b"#", start)
            if 0 <= start < end and len(self._bytes) >= end + 3:
                body = self._bytes[start + 1 : end]
                self._bytes = self._bytes[end + 3 :]
                return body
            more = self._receive(1 << 16)
            if not more:
                return None
            self._bytes += more


class Qemu:
    def __init__(self, target):
        if target.startswith("unix:"):
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(target.removeprefix("unix:"))
        else:
            host, port = target.rsplit(":", 1)
            self._socket = socket.create_connection((host, int(port)))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = Reader(self._socket.recv)
        self.ask(b"qSupported:multiprocess+;xmlRegisters=i386")
        if self.ask(b"qqemu.PhyMemMode") != b"0":
            sys.exit("hide.py: the stub is left in another mode")

    def ask(self, body):
        self._socket.sendall(frame(body))
        reply = self._reader.packet()
        # QEMU before 8.1 tells whoever comes that it has stopped the guest.
        while reply is not None and reply.startswith(b"T02"):
            reply = self._reader.packet()
        if reply is None:
            sys.exit("hide.py: the stub is gone")
        return reply


def registers(reply):
    """What the crate has of what QEMU has."""
    whole = bytes.fromhex(reply.decode())
    seen = whole[:SEEN] + whole[SEEN + HIDDEN_BYTES :]
    return seen[:CRATE_BYTES].hex().encode()


def answer(qemu, body):
    if body.startswith(b"qSupported"):
        return FEATURES
    if body == b"QStartNoAckMode":
        return b"OK"
    if body.startswith(b"qXfer:features:read:target.xml:"):
        offset, length = (int(n, 16) for n in body.rsplit(b":", 1)[1].split(b","))
        piece = TARGET[offset : offset + length]
        return (b"m" if piece else b"l") + piece
    if body.startswith(HIDDEN):
        return b""
    if body == b"g":
        return registers(qemu.ask(body))
    reply = qemu.ask(body)
    return b"E79" if reply in (b"E14", b"E22") else reply


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: hide.py HOST:PORT|unix:PATH")
    qemu = Qemu(sys.argv[1])
    reader = Reader(lambda size: os.read(0, size))
    acknowledges = True
    while (body := reader.packet()) is not None:
        os.write(1, (b"+" if acknowledges else b"") + frame(answer(qemu, body)))
        acknowledges &= body != b"QStartNoAckMode"
        if body.startswith(b"D"):
            break


main()
