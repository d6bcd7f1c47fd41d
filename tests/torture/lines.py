"""Part 4: lines that drop, cut, delay, fall silent or lie, between real clients and a real server.

The server's threads must come back from connections that fell silent in the middle of a request.
"""

from __future__ import annotations

import random
import socket
import time
from contextlib import ExitStack, closing

from tests.torture.checking import check
from tests.torture.hand import Hand
from tests.torture.proxy import FAULTS, Proxy
from tests.torture.report import Row
from tests.torture.stage import Stage, staged

THREADS = 32
_REQUEST_QUIET_S = 3
_QUIET_S = 1.5
_REQUEST_BYTES_MOST = 6_000
_ROUNDS = 12
# Twice as many silent connections as threads: the second half has its turn of silence, too.
_PUSHES_BESIDE, _ANSWERED_WITHIN_S = 3, 3 * _REQUEST_QUIET_S
_SILENT = (
    b"POST /api/v1/sync HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 5000\r\n\r\n{"
)


def _sync_through_faults(stage: Stage, row: Row, cycles: int, seed: int) -> None:
    chance = random.Random(f"{seed} lines")
    with closing(Proxy(stage.server.port)) as proxy:
        tablets = [stage.tablet(f"tablet-{agent}", agent, proxy.url) for agent in (0, 1)]
        known: list[list[str]] = [[], []]
        for number in range(cycles):
            for which, tablet in enumerate(tablets):
                done = tablet.do("work", seed=chance.randrange(2**40), doors=1, others=known[1 - which][-1:])
                known[which] += done["households"]
                fault = FAULTS[(number * 2 + which) % len(FAULTS)]
                for _ in range(chance.randint(1, 2)):
                    proxy.plan(fault, chance.randrange(_REQUEST_BYTES_MOST))
                done = tablet.do("sync", rounds=_ROUNDS, quiet_s=_QUIET_S)
                if done["outcome"] != "synced" or done["unsent"] or done["quarantined"] or done["differing"]:
                    row.wrong.append(f"after {fault}: {done}")
            row.cycles += 1
        for tablet in tablets:
            done = tablet.do("sync", rounds=3)
            if done["outcome"] != "synced" or done["differing"]:
                row.wrong.append(f"at the end: {done}")
        row.fired.update(proxy.fired)


def _use_up_threads(stage: Stage, row: Row) -> None:
    """Open twice as many silent connections as the server has threads, and push beside them."""
    hand = Hand(stage, "beside", quiet_s=60.0)
    with ExitStack() as silent:
        for _ in range(2 * THREADS):
            line = silent.enter_context(socket.create_connection(("127.0.0.1", stage.server.port)))
            line.sendall(_SILENT)
        row.fired["silent connections"] += 2 * THREADS
        time.sleep(0.5)
        for _ in range(_PUSHES_BESIDE):
            started = time.monotonic()
            answer = hand.send(hand.push(hand.door()))
            took_s = time.monotonic() - started
            if answer.status != 200 or took_s > _ANSWERED_WITHIN_S:
                row.wrong.append(f"beside {2 * THREADS} silent connections: {answer} after {took_s:.1f} s")
    hand.close()


def mistreat_lines(database: str, cycles: int, seed: int) -> Row:
    """Run the faults of lines on a fresh office."""
    row = Row("bad lines", database, wanted=frozenset({*FAULTS, "silent connections"}))
    with staged(database) as stage:
        stage.server.start("--quiet-seconds", str(_REQUEST_QUIET_S))
        _sync_through_faults(stage, row, max(cycles, 3), seed)
        _use_up_threads(stage, row)
        row.take(check(stage))
    return row
