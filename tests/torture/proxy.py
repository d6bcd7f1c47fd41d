"""A small TCP proxy in a thread that mistreats connections: drops, cuts, delays, keeps silent, lies."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from contextlib import suppress

FAULTS = ("drop response", "cut body", "half-open", "delay", "captive portal")
_PORTAL = b"<!doctype html><title>Wi-Fi</title><p>Welcome! Please accept our terms."
_PORTAL_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    % len(_PORTAL)
) + _PORTAL
_CHUNK_BYTES = 16 * 1024
_DELAY_S = 1.0


class Proxy:
    """Listens on a port of its own. Each new connection takes the next of the planned faults."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._planned: deque[tuple[str, int]] = deque()
        self.fired: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def url(self) -> str:
        """Return the address that clients are given."""
        return f"http://127.0.0.1:{self.port}"

    def plan(self, fault: str, after_bytes: int = 0) -> None:
        """Let the next connection suffer; `after_bytes` of the request still go through."""
        self._planned.append((fault, after_bytes))

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        fault, after_bytes = self._planned.popleft() if self._planned else ("", 0)
        with suppress(OSError, asyncio.CancelledError):
            await self._mistreat(fault, after_bytes, reader, writer)
        writer.close()

    async def _mistreat(
        self, fault: str, after_bytes: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if fault:
            self.fired[fault] += 1
        if fault == "captive portal":
            await reader.read(_CHUNK_BYTES)
            writer.write(_PORTAL_ANSWER)
            await writer.drain()
            return
        if fault == "delay":
            await asyncio.sleep(_DELAY_S)
        above, below = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            if fault in {"cut body", "half-open"}:
                await self._forward(reader, below, after_bytes)
                if fault == "half-open":
                    # Neither end is told anything, until this proxy is closed or the client gives up.
                    await reader.read()
                    await self._stop.wait()
                return
            up = asyncio.create_task(self._forward(reader, below, None))
            if fault == "drop response":
                await above.read(1)
                up.cancel()
                return
            await self._forward(above, writer, None)
            up.cancel()
        finally:
            below.close()

    async def _forward(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, most_bytes: int | None
    ) -> None:
        left = most_bytes
        while left is None or left > 0:
            part = await source.read(_CHUNK_BYTES if left is None else min(left, _CHUNK_BYTES))
            if not part:
                return
            target.write(part)
            await target.drain()
            left = None if left is None else left - len(part)
