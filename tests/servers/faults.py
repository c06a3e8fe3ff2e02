# SPDX-License-Identifier: GPL-2.0-or-later
"""Between a client and a server: passes bytes on, and loses the connection in the middle of them,
or stands still there. What goes through is TLS as a rule, so it counts and does not look."""

import contextlib
import socket
import struct
import threading

from service import Failure

PIECE = 1 << 16
PATIENCE = 60
RECEIVE_BUFFER = 256 << 10


class Link:
    """Listens at .port and passes on to `port` of this host. After so many bytes from clients, of
    all connections together, there is a fault, once:

    cut     the connection is reset, on both sides
    hold    nothing more is passed on, and new connections wait, until let_go(); or drop(), when
            those of before are lost

    .bytes is how many have come from clients by now.
    """

    def __init__(self, port, fault, after):
        self._target, self._fault, self._after = port, fault, after
        self.bytes = 0
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self.happened = threading.Event()
        self._connections, self._lost = set(), set()

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        # Accepted connections have it from here. Left to itself it grows until it takes all that a
        # test sends: then a client that has given up has still sent everything.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._open.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def wait(self):
        """Until the fault has happened."""
        if not self.happened.wait(PATIENCE):
            raise Failure(f"no {self._fault}: not so many bytes came")

    def let_go(self):
        self._open.set()

    def drop(self):
        with self._lock:
            self._lost.update(self._connections)
        for side in self._lost:
            _reset(side)
        self._open.set()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError):
            self._open.wait()
            with client, socket.create_connection(("127.0.0.1", self._target)) as server:
                with self._lock:
                    self._connections |= {client, server}
                back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
                back.start()
                while received := client.recv(PIECE):
                    self._count(len(received), client, server)
                    server.sendall(received)
                server.shutdown(socket.SHUT_WR)
                back.join(PATIENCE)

    def _count(self, size, client, server):
        with self._lock:
            self.bytes += size
            fault = not self.happened.is_set() and self.bytes > self._after
            if fault:
                if self._fault == "hold":
                    self._open.clear()
                self.happened.set()
        if fault and self._fault == "cut":
            _reset(client)
            _reset(server)
            raise ConnectionResetError
        self._open.wait()
        if server in self._lost:
            raise ConnectionResetError


def _reset(side):
    """Nobody waits for it any more, and when it is closed, the other end gets to know."""
    with contextlib.suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        side.shutdown(socket.SHUT_RD)


def _pass_on(source, sink):
    with contextlib.suppress(OSError):
        while received := source.recv(PIECE):
            sink.sendall(received)
        sink.shutdown(socket.SHUT_WR)
