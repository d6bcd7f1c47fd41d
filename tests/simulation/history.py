"""Runs one history: its steps, the checks after each, and liveness once the faults stop."""

from __future__ import annotations

import gc
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from tests.simulation.agents import CAPTURES
from tests.simulation.backups import RESTORES, close_recovery
from tests.simulation.chance import governed
from tests.simulation.desk import DECISIONS, replay_waiting
from tests.simulation.events import DISTORTING, EVENTS, enrol_again, is_at_rest, narrow_line, sync_tablet
from tests.simulation.invariants import OfficeAudit, require_sound_tablet, require_unbroken_receipts
from tests.simulation.poison import poisoned_handlers
from tests.simulation.shrinking import shrunk
from tests.simulation.steps import Step, draw_history
from tests.simulation.tablets import Tablet
from tests.simulation.violation import Violation, require
from tests.simulation.world import World

ACTIONS = CAPTURES | EVENTS | RESTORES | DECISIONS
WEIGHTS = {kind: weight for kind, (weight, _) in ACTIONS.items()}
DRAIN_ROUNDS = 3


@dataclass
class Outcome:
    """What a history came to: `violation` is None where all went well."""

    trace: list[str]
    fired: Counter[str]
    violation: str | None = None
    checks: int = 0
    steps: list[Step] = field(default_factory=list)


class Simulation:
    """Histories over one world. Use as a context manager: it governs this process's randomness."""

    def __enter__(self) -> Self:
        self.world = World()
        self._governing = governed(self.world.chance)
        self._governing.__enter__()
        self.world.found()
        # What is here by now stays; collecting it again and again would cost a tenth of the time.
        gc.collect()
        gc.freeze()
        return self

    def __exit__(self, *_error: object) -> None:
        self._governing.__exit__(None, None, None)
        self.world.close()
        gc.unfreeze()

    def run(self, steps: Sequence[Step]) -> Outcome:
        """Run one history."""
        world = self.world
        world.begin()
        audit = OfficeAudit(world)
        violation = None
        try:
            with poisoned_handlers(world), narrow_line(world):
                audit.check()
                for step in steps:
                    world.chance.begin(str(step))
                    world.note(step)
                    world.clock.advance(seconds=1)
                    ACTIONS[step.kind][1](world, step)
                    self._check(audit)
                world.chance.begin("healing")
                self._heal(audit)
        except Violation as found:
            violation = str(found)
        except Exception:  # noqa: BLE001 - whatever production code raises here is a finding
            violation = f"an exception nobody declared:\n{traceback.format_exc()[-3000:]}"
        fired = world.fired + world.oracle.met
        return Outcome(list(world.trace), fired, violation, audit.checked, list(steps))

    def _check(self, audit: OfficeAudit) -> None:
        audit.check()
        for tablet in self.world.tablets:
            require_sound_tablet(tablet, self.world.oracle)

    def _heal(self, audit: OfficeAudit) -> None:
        """Liveness: with the faults gone every outbox drains within three rounds, by itself.

        A tablet that was told to enrol again does so, as its agent would with a supervisor's code.
        After a restore somebody closes the recovery then, and what tablets show is the office's.
        """
        world = self.world
        world.note("healing")
        self._drain(audit)
        replay_waiting(world)
        audit.check()
        if world.oracle.is_recovering:
            close_recovery(world)
            self._drain(audit)
        delivered = world.oracle.delivered() | world.oracle.may_be_lost
        for tablet in world.tablets:
            lost = [sha256 for sha256 in tablet.saved if sha256 not in delivered]
            require(not lost, "1/L what an agent saved has arrived", tablet.name, lost)
        if world.oracle.is_lineage_whole() and not any(world.fired[fault] for fault in DISTORTING):
            self._require_honest_times()
            require_unbroken_receipts(world.oracle)

    def _drain(self, audit: OfficeAudit) -> None:
        world = self.world
        resting: set[str] = set()
        for _ in range(DRAIN_ROUNDS):
            resting = set()
            # Whom the office has forgotten comes first: its certificate says which number is taken.
            for tablet in sorted(world.tablets, key=self._is_known):
                world.clock.advance(seconds=1)
                if is_at_rest(world, tablet):
                    resting.add(tablet.name)
                    continue
                if not sync_tablet(world, tablet, []):
                    require(tablet.stopped is not None, "L why a sync fails", tablet.name)
                    enrol_again(world, tablet, [])
                    if not sync_tablet(world, tablet, []):
                        continue
                resting.add(tablet.name)
            self._check(audit)
            if all(is_at_rest(world, tablet) for tablet in world.tablets if self._is_heard(tablet)):
                break
        require(len(resting) == len(world.tablets), "L every outbox drains", resting)

    def _is_known(self, tablet: Tablet) -> bool:
        return tablet.installation in self.world.oracle.installations

    def _is_heard(self, tablet: Tablet) -> bool:
        """Return whether the office still tells this tablet anything."""
        installation = self.world.oracle.installations.get(tablet.installation or "")
        return installation is None or installation.state == "active"

    def _require_honest_times(self) -> None:
        """Whatever the wall clocks said, the corrected interval holds the moment of the capture.

        Not where two devices wrote under one name, or the network kept a request back: then marks of
        one say where the journal of another ended, or when a clock was read that had moved on.
        """
        world = self.world
        for entry in world.oracle.judgement.entries.values():
            true_ms = world.true_ms.get(entry.sha256)
            if (
                true_ms is not None
                and entry.captured is not None
                and not entry.lower_ms <= true_ms <= entry.upper_ms
            ):
                raise Violation(f"R8.1 {entry.entry_id}: {entry.lower_ms} <= {true_ms} <= {entry.upper_ms}")


def run_seeded(simulation: Simulation, seed: int, number: int) -> Outcome:
    """Run history `number` of `seed`."""
    return simulation.run(draw_history(seed, number, WEIGHTS))


def shrink(simulation: Simulation, outcome: Outcome) -> list[Step]:
    """Return a shorter history that breaks the same invariant."""
    kind = (outcome.violation or "").split(":")[0]

    def fails(steps: list[Step]) -> bool:
        return (simulation.run(steps).violation or "\0").split(":")[0] == kind

    return shrunk(outcome.steps, fails)
