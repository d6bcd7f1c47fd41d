"""Part 1: the server and its clients are killed with -9 at random points, again and again.

A cycle lets two tablets record and sync, kills somebody somewhere in it, starts it again and lets
everything drain. On PostgreSQL the database's own postmaster is a victim, too.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from sqlalchemy import create_engine, text

from sync.clock import SystemClock
from tests.torture.checking import check
from tests.torture.report import Row
from tests.torture.stage import AgentGoneError, Stage, TabletProcess, staged

_ROUNDS = 3
# "server" is the whole process group, "worker" the process in it that answers, and is replaced.
_VICTIMS = ("worker", "client", "server", "both", "worker", "client", "worker", "both")
_SHOWN = {"both": "worker and client"}
_DOORS_MOST = 4
_CHECKED_EVERY = 25


@dataclass(frozen=True)
class Plan:
    """What one cycle does. `share` is how far into the usual duration of the step the kill comes."""

    victim: str
    step: str
    share: float
    seeds: tuple[int, int]
    doors: tuple[int, int]


def planned(seed: int, cycles: int, database: str) -> list[Plan]:
    """Return the cycles of a seed: always the same ones."""
    chance = random.Random(f"{seed} {database} kills")
    victims = _VICTIMS + (("database",) if database == "postgresql" else ())
    plans = []
    for number in range(cycles):
        victim = victims[number % len(victims)]
        step = "record" if victim == "client" and chance.random() < 0.4 else "sync"
        seeds = (chance.randrange(2**40), chance.randrange(2**40))
        doors = (chance.randint(1, _DOORS_MOST), chance.randint(1, _DOORS_MOST))
        plans.append(Plan(victim, step, chance.random(), seeds, doors))
    return plans


class Killing:
    """The cycles over one stage."""

    def __init__(self, stage: Stage, row: Row) -> None:
        self._stage, self._row = stage, row
        stage.server.start()
        self._tablets = [stage.tablet(f"tablet-{agent}", agent) for agent in (0, 1)]
        self._drained = 0
        self._known: list[list[str]] = [[], []]
        self._usual_s = {"sync": 0.3, "record": 0.3}

    def calibrate(self) -> None:
        """See how long the steps take when nobody is killed."""
        for step in ("record", "sync"):
            started = time.monotonic()
            for number, tablet in enumerate(self._tablets):
                if step == "record":
                    self._known[number] = tablet.do("work", seed=number, doors=_DOORS_MOST)["households"]
                else:
                    self._drain(tablet)
            self._usual_s[step] = (time.monotonic() - started) / 2
        self._drained = self._stage.testimony().acknowledged

    def cycle(self, plan: Plan) -> None:
        """Record, sync, kill, start again, drain."""
        first, second = self._tablets
        others = (self._known[1][-1:], self._known[0][-1:])
        self._known[1] = self._work(second, plan, 1, others[1])
        if plan.step == "record":
            first.tell("work", seed=plan.seeds[0], doors=plan.doors[0], others=others[0])
        else:
            self._known[0] = self._work(first, plan, 0, others[0])
            for tablet in self._tablets:
                tablet.tell("sync", rounds=1)
                tablet.until("posting")
        time.sleep(plan.share * self._usual_s[plan.step])
        killed_ms, heard = self._kill(plan)
        for tablet in self._tablets:
            self._drain(tablet)
        if plan.step == "record":
            self._drained = self._stage.testimony().acknowledged
        else:
            self._row.fired[self._landed(killed_ms, heard)] += 1

    def _work(self, tablet: TabletProcess, plan: Plan, number: int, others: list[str]) -> list[str]:
        done = tablet.do("work", seed=plan.seeds[number], doors=plan.doors[number], others=others)
        households: list[str] = done["households"]
        return households

    def _kill(self, plan: Plan) -> tuple[int, int]:
        """Kill and start again; return when it was, and how much had been acknowledged then."""
        stage, first = self._stage, self._tablets[0]
        self._row.fired[f"{_SHOWN.get(plan.victim, plan.victim)} killed"] += 1
        if plan.victim in {"worker", "both"}:
            stage.server.kill_worker()
        if plan.victim == "server":
            stage.server.kill()
        if plan.victim in {"client", "both"}:
            first.kill()
        if plan.victim == "database":
            assert stage.cluster is not None
            stage.cluster.kill()
        at = (SystemClock().now_ms(), stage.testimony().acknowledged)
        if plan.victim == "database":
            stage.cluster.restart()
        for tablet in self._tablets:
            self._settle(tablet)
        if plan.victim == "server":
            stage.server.start()
        stage.server.wait_until_ready()
        if plan.victim in {"client", "both"}:
            first.start()
        return at

    def _settle(self, tablet: TabletProcess) -> None:
        """Let a tablet that still runs finish what it was told to do."""
        if tablet.is_running and tablet.is_busy:
            tablet.until("done")

    def _landed(self, killed_ms: int, heard: int) -> str:
        """Say where in the sync the kill came: by what was committed and what was heard by then."""
        engine = create_engine(self._stage.url)
        try:
            with engine.connect() as connection:
                statement = text("SELECT count(*) FROM entry WHERE received_ms <= :killed_ms")
                committed = int(connection.scalar(statement, {"killed_ms": killed_ms}) or 0)
        finally:
            engine.dispose()
        before, self._drained = self._drained, self._stage.testimony().acknowledged
        if committed <= before:
            return "before the commit"
        return "after the commit, unheard" if heard < committed else "after the answer"

    def _drain(self, tablet: TabletProcess) -> None:
        done = tablet.do("sync", rounds=_ROUNDS)
        left = {name: done.get(name) for name in ("unsent", "quarantined", "differing") if done.get(name)}
        if done["outcome"] != "synced" or left:
            self._row.wrong.append(f"{tablet.home.name} did not drain: {done}")

    def finish(self) -> None:
        """Check everything, and that whatever was shown as saved has arrived."""
        self._row.take(check(self._stage))
        testimony = self._stage.testimony()
        arrived = "\n".join(testimony.sent.values())
        for tablet in self._tablets:
            missing = [entry_id for entry_id in tablet.saved if f'"id":"{entry_id}"' not in arrived]
            self._row.lost += [f"{entry_id}: saved at the door, never sent" for entry_id in missing]


def kill_processes(database: str, cycles: int, seed: int) -> Row:
    """Run the cycles on a fresh office; stops early where something is wrong."""
    row, plans = Row("kill -9", database), planned(seed, cycles, database)
    row.wanted = frozenset(f"{_SHOWN.get(plan.victim, plan.victim)} killed" for plan in plans)
    if cycles >= 40:
        row.wanted |= {"before the commit", "after the commit, unheard", "after the answer"}
    with staged(database) as stage:
        killing = Killing(stage, row)
        killing.calibrate()
        for number, plan in enumerate(plans, start=1):
            try:
                killing.cycle(plan)
            except AgentGoneError as error:
                row.wrong.append(f"cycle {number}: {error} is gone")
            row.cycles += 1
            if number % _CHECKED_EVERY == 0 or row.wrong:
                found = check(stage, is_thorough=False)
                if found.lost or found.doubled or found.wrong or row.wrong:
                    row.wrong.append(f"stopped after cycle {number} ({plan})")
                    break
        killing.finish()
    return row
