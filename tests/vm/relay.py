# SPDX-License-Identifier: GPL-2.0-or-later
"""Between a client and a stub: passes on what they say, and lets a test act at a word of it."""

import contextlib
import socket
import threading

from harness import STEP_SECONDS

# qRcmd has its command in hex.
PMEMSAVE = b"qRcmd," + b"pmemsave ".hex().encode()


class Relay:
    """Listens at .target for one client. At the nth time that the client's bytes have the word in
    them, act() runs before the stub gets to see them."""

    def __init__(self, stub, word, nth, act):
        host, port = stub.rsplit(":", 1)
        self._stub = (host, int(port))
        self._word, self._left, self._act = word, nth, act
        self.acted = False

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(STEP_SECONDS)
        self.target = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join(STEP_SECONDS)
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            with client, socket.create_connection(self._stub) as stub:
                for side in (client, stub):
                    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=_pass_on, args=(stub, client), daemon=True)
                back.start()
                while received := client.recv(1 << 16):
                    self._look(received)
                    stub.sendall(received)
                stub.shutdown(socket.SHUT_WR)
                client.shutdown(socket.SHUT_RDWR)
                back.join(STEP_SECONDS)

    def _look(self, received):
        # A command is waited for alone: it comes whole, and nothing else with it.
        if self._word in received and not self.acted:
            self._left -= 1
            if self._left == 0:
                self.acted = True
                self._act()


def _pass_on(source, sink):
    with contextlib.suppress(OSError):
        while received := source.recv(1 << 16):
            sink.sendall(received)
        sink.shutdown(socket.SHUT_WR)
