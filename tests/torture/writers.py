"""Part 5: eight writers at once: the same batch by several, and different tablets at the same doors."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.torture.checking import check
from tests.torture.hand import Answer, Hand
from tests.torture.report import Row
from tests.torture.stage import Stage, staged

WRITERS = 8
_ATTEMPTS = 30
_SHARED_DOORS = 3


def _until_taken(hand: Hand, request: httpx.Request) -> Answer:
    """Send until the server takes it; declared refusals are part of a crowd."""
    answer = hand.send(request)
    for _ in range(_ATTEMPTS):
        if answer.status == 200 or not answer.is_declared:
            break
        time.sleep(0.2)
        answer = hand.send(request)
    return answer


class Crowd:
    """Eight hands of three agents over one stage."""

    def __init__(self, stage: Stage, row: Row, seed: int) -> None:
        self._row, self._chance = row, random.Random(f"{seed} writers")
        stage.server.start()
        self._hands = [Hand(stage, f"hand-{number}", number % 3) for number in range(WRITERS)]
        self._doors: list[str] = []
        self._pool = ThreadPoolExecutor(WRITERS)

    def same_batch(self) -> None:
        """Half of the writers send one and the same request while the others send their own."""
        first = self._hands[0]
        request = first.push(first.door() + first.door())
        others = [(hand, hand.push(hand.door())) for hand in self._hands[WRITERS // 2 :]]
        jobs = [(first, request)] * (WRITERS // 2) + others
        answers = self._at_once([lambda job=job: _until_taken(*job) for job in jobs])
        told = {str(answer.content.get("verdicts")) for answer in answers[: WRITERS // 2]}
        if len(told) != 1:
            self._row.wrong.append(f"one batch, {len(told)} different sets of verdicts")
        self._row.fired["same batch at once"] += 1

    def same_doors(self) -> None:
        """All writers knock at the same doors, one of which is registered in the same moment."""
        registering = self._hands[self._chance.randrange(WRITERS)]
        fresh, entry = registering.entry(
            "household_registered",
            {"area": "28249@2004-01-01", "head_name": "Lê Văn Tám", "address": "1 Lê Lợi"},
        )
        doors = [*self._doors[-_SHARED_DOORS:], fresh]
        jobs = []
        for hand in self._hands:
            visited = self._chance.sample(doors, len(doors))
            entries = [hand.visit(door)[1] for door in visited]
            jobs.append((hand, hand.push([entry, *entries] if hand is registering else entries)))
        self._at_once([lambda job=job: _until_taken(*job) for job in jobs])
        self._doors.append(fresh)
        self._row.fired["same doors at once"] += 1

    def _at_once(self, jobs: list[Callable[[], Answer]]) -> list[Answer]:
        answers = list(self._pool.map(lambda job: job(), jobs))
        for answer in answers:
            if answer.status != 200:
                self._row.wrong.append(f"a writer was answered {answer}")
                continue
            verdicts: list[dict[str, Any]] = answer.content["verdicts"]
            bad = [item["code"] for item in verdicts if item["verdict"] not in {"applied", "held"}]
            if bad:
                self._row.wrong.append(f"a writer heard {bad}")
        return answers

    def close(self) -> None:
        """Let every line go."""
        self._pool.shutdown()
        for hand in self._hands:
            hand.close()


def write_at_once(database: str, cycles: int, seed: int) -> Row:
    """Let the crowd write on a fresh office; at its end nothing is held any more."""
    row = Row("8 writers", database)
    row.wanted = frozenset({"same batch at once", "same doors at once"})
    with staged(database) as stage:
        crowd = Crowd(stage, row, seed)
        for _ in range(max(cycles // 4, 2)):
            crowd.same_batch()
            crowd.same_doors()
            row.cycles += 1
            if row.wrong:
                break
        crowd.close()
        row.take(check(stage))
    return row
