"""A relay before the server that counts what really passes: headers, compressed bodies, everything."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class CountingRelay:
    """Listens on loopback, passes bytes on to `address` and back, and counts them (TLS would add to it)."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._target = (parts.hostname or "", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._guard = threading.Lock()
        self._accepting = threading.Thread(target=self._accept)
        self._open: list[threading.Thread] = []
        self.up_bytes = self.down_bytes = 0

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone leaves a waiting accept() where it is.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in (self._accepting, *self._open):
            thread.join()

    def reset(self) -> None:
        """Count from 0 again."""
        with self._guard:
            self.up_bytes = self.down_bytes = 0

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._relay, args=(near,))
            self._open.append(thread)
            thread.start()

    def _relay(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._target) as far:
            for line in (near, far):
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            down = threading.Thread(target=self._pass_on, args=(far, near, "down_bytes"))
            down.start()
            self._pass_on(near, far, "up_bytes")
            down.join()

    def _pass_on(self, source: socket.socket, target: socket.socket, counter: str) -> None:
        # Where one end is gone, the other hears it: nothing more comes.
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                with self._guard:
                    setattr(self, counter, getattr(self, counter) + len(chunk))
                target.sendall(chunk)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
