"""The year itself: the office keeps its book day by day, and the agents come home between its stretches.

Each agent's tablet has a clock of its own, which says the days at the doors while it is offline and the
office's time when it syncs; so what was done at forty places in the same weeks lies in the same weeks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from server.demo.fund.book import BookKeeper
from server.demo.fund.figures import FUND, HANDED_OUT_ON, SET_UP_ON, YEAR_END
from server.demo.fund.files import write_files
from server.demo.fund.nursery import FundTablet, Nursery
from server.demo.fund.plan import FundPlan
from server.demo.fund.setting_up import enrolment_code, set_up_fund
from server.demo.fund.steps import DoorStep, Outing
from server.demo.office import office_moment_ms
from server.demo.processes import ServerProcess
from server.runtime import Runtime
from sync.clock import VirtualClock

AT_ONCE = 8
_MINUTE_MS = 60_000
Tell = Callable[[str, str], None]


@dataclass
class FundHappened:
    """What is known to have happened; the checks read it."""

    syncs: int = 0
    failed_syncs: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    carried_over: int = 0
    replies_lost: int = 0
    longest_offline_days: int = 0
    receipt: dict[str, Any] | None = None


class FundYear:
    """Replays a plan in `folder` against an office and its server."""

    def __init__(
        self,
        plan: FundPlan,
        runtime: Runtime,
        server: ServerProcess,
        clock: VirtualClock,
        folder: Path,
        tell: Tell,
    ) -> None:
        self._plan = plan
        self._runtime = runtime
        self._server = server
        self._clock = clock
        self._folder = folder
        self._tell = tell
        self._guard = threading.Lock()
        self._coming_home = threading.Lock()
        # What tablets wrote, by the refs on paper: ids of entries and of persons.
        self._known: dict[str, str] = {}
        self._agents: tuple[str, ...] = ()
        self.files = folder / "giay-to"
        self.happened = FundHappened()
        self.keeper = BookKeeper(runtime, clock, plan, self.files, self._known)

    @property
    def homes(self) -> list[Path]:
        """Return every home directory of the fund's agents."""
        return [self._home(agent.index) for agent in self._plan.agents]

    def run(self) -> None:
        """Replay the year to its end."""
        for part in ("tablets", "clocks"):
            (self._folder / part).mkdir(parents=True)
        write_files(self._plan, self.files)
        self._clock.set(max(office_moment_ms(SET_UP_ON, 8), self._clock.now_ms()), 1.0)
        self._agents = set_up_fund(self._runtime, self._plan)
        with closing(Nursery(self._folder / "tablets.log")) as nursery:
            self._clock.set(office_moment_ms(HANDED_OUT_ON, 8), 1.0)
            self._in_parallel([partial(self._enrol, nursery, agent.index) for agent in self._plan.agents])
            for stretch in self._plan.stretches:
                if stretch.office:
                    first, last = stretch.office[0].day, stretch.office[-1].day
                    self._tell(f"{first:%d-%m-%Y} đến {last:%d-%m-%Y}: văn phòng", "the office's days")
                self.keeper.keep(stretch.office)
                if stretch.outings:
                    day = stretch.outings[0].sync_on
                    self._tell(f"từ {day:%d-%m-%Y}: đại lý về đồng bộ", "agents come home and sync")
                self._in_parallel([partial(self._out, nursery, outing) for outing in stretch.outings])
        self._clock.set(office_moment_ms(YEAR_END, 17), 1.0)

    def _enrol(self, nursery: Nursery, agent: int) -> None:
        with closing(self._tablet(nursery, agent)) as tablet:
            self._enrol_tablet(tablet, agent, again=False)
            self._sync(tablet, agent)

    def _enrol_tablet(self, tablet: FundTablet, agent: int, *, again: bool) -> dict[str, Any]:
        code = enrolment_code(self._runtime, self._agents[agent])
        url, at_ms = self._server.url, self._clock.now_ms()
        return tablet.do("enrol", server=url, code=code, again=again, at_ms=at_ms)

    def _out(self, nursery: Nursery, outing: Outing) -> None:
        """One agent's outing: offline at the doors, for weeks, then a sync."""
        with closing(self._tablet(nursery, outing.agent)) as tablet:
            with self._guard:
                known = self._known_of(outing)
            done = tablet.do("outing", steps=[self._wire(step) for step in outing.steps], known=known)
            with self._guard:
                self._known |= done["known"]
                self.happened.not_found += done["missing"]
                self.happened.receipt = self.happened.receipt or done["receipt"]
                days = (outing.sync_on - outing.steps[0].day) // timedelta(days=1) if outing.steps else 0
                self.happened.longest_offline_days = max(self.happened.longest_offline_days, days)
            # Nobody else's day may come while a code is used: it is good for hours.
            with self._coming_home:
                home_ms = office_moment_ms(outing.sync_on, 17)
                self._clock.set(max(home_ms, self._clock.now_ms()), 1.0)
                if outing.trouble == "carry_over":
                    carried = self._enrol_tablet(tablet, outing.agent, again=True)
                    self.happened.carried_over += carried["carried"]
            self._sync(tablet, outing.agent, loses_reply=outing.trouble == "lose_reply")

    def _known_of(self, outing: Outing) -> dict[str, str]:
        wanted = [f"person {step.members['nominee']}" for step in outing.steps if step.what == "handover"]
        return {name: self._known[name] for name in wanted}

    def _wire(self, step: DoorStep) -> dict[str, Any]:
        members = dict(step.members)
        if step.what == "household":
            named = [self._plan.nominees[ref] for ref in members["nominees"]]
            members["people"] = [
                {
                    "ref": one.ref,
                    "person": one.person.as_wire(),
                    "pool": one.pool,
                    "evidence": one.evidence,
                    "member": one.member,
                }
                for one in named
            ]
        at_ms = office_moment_ms(step.day, 0) + step.minute * _MINUTE_MS
        return {"ref": step.ref, "what": step.what, "fund": FUND, "at_ms": at_ms, "members": members}

    def _sync(self, tablet: FundTablet, agent: int, *, loses_reply: bool = False) -> None:
        fault = "lose_reply" if loses_reply else None
        done = tablet.do("sync", fault=fault, at_ms=self._clock.now_ms())
        with self._guard:
            self.happened.syncs += 1
            self.happened.replies_lost += any(event.get("status") == 200 for event in done["heard"])
            if done["outcome"] != "synced" or done["unsent"] or done["differing_scopes"]:
                what = done.get("code") or f"unsent {done['unsent']}, scopes {done['differing_scopes']}"
                self.happened.failed_syncs.append(f"agent {agent + 1}: {what}")

    def _home(self, agent: int) -> Path:
        return self._folder / "tablets" / f"agent-{agent + 1:02d}"

    def _tablet(self, nursery: Nursery, agent: int) -> FundTablet:
        path = self._folder / "clocks" / f"agent-{agent + 1:02d}.json"
        if not path.exists():
            VirtualClock(path).set(self._clock.now_ms(), 1.0)
        return nursery.tablet(self._home(agent), path)

    def _in_parallel(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run the tasks in order, eight at once; the first error ends the replay."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            futures = [pool.submit(task) for task in tasks]
            try:
                for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
