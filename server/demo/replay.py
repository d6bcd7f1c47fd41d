"""The replay: tablets handed out, two launch days and the officers' drive, with everything planted.

Tablets work and sync in processes of their own, eight at once. The shared clock moves with the work
done, so that a day lasts a day on any machine: from half past seven to half past five.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from server.demo.figures import (
    DRIVE,
    DRIVE_WORK_FROM,
    DRIVE_WORK_TO,
    EVENING_DAY,
    FIRST_LAUNCH,
    LAUNCH_DAYS,
    SECOND_LAUNCH,
)
from server.demo.office import DemoOffice, office_moment_ms
from server.demo.plan import Plan, Visit
from server.demo.processes import DemoFailedError, KillInTransaction, ServerProcess, Tablet
from sync.clock import VirtualClock

AT_ONCE = 8
_CLOCK_RATE = 1.0

Tell = Callable[[str, str], None]


@dataclass
class Happened:
    """What is known to have happened of what was planted; the checks read it."""

    killed_tablet_status: int | None = None
    killed_tablet_had_finished: bool = True
    reply_lost: bool = False
    clone_codes: list[str | None] = field(default_factory=list)
    clone_predecessors: list[str | None] = field(default_factory=list)
    clone_synced: int = 0
    killed_server: bool = False
    failed_syncs: list[str] = field(default_factory=list)
    syncs: int = 0
    processes: int = 0
    receipt: dict[str, Any] | None = None


class DayClock:
    """Moves the shared clock forwards with the work done. Any thread may step."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._from_ms = self._span_ms = self._done = 0
        self._steps = 1

    def begin(self, from_ms: int, to_ms: int, steps: int) -> None:
        """Start a day (or several) of so many steps."""
        with self._guard:
            self._from_ms, self._span_ms, self._steps, self._done = from_ms, to_ms - from_ms, max(steps, 1), 0
            self._clock.set(max(from_ms, self._clock.now_ms()), _CLOCK_RATE)

    def step(self) -> None:
        """One more visit is done."""
        with self._guard:
            self._done += 1
            reached_ms = self._from_ms + self._span_ms * self._done // self._steps
            self._clock.set(max(reached_ms, self._clock.now_ms()), _CLOCK_RATE)


class Replay:
    """Leads the tablets through the plan. `tell` takes Vietnamese and English, `step` a visit done."""

    def __init__(
        self,
        plan: Plan,
        office: DemoOffice,
        server: ServerProcess,
        clock: VirtualClock,
        folder: Path,
        tell: Tell,
        step: Callable[[], None],
    ) -> None:
        self._plan = plan
        self.office = office
        self._server = server
        self._folder = folder
        self._clock_path = folder / "clock.json"
        self._database = folder / "office.sqlite3"
        self._day = DayClock(clock)
        self._tell = tell
        self._step = step
        self._guard = threading.Lock()
        self._open: list[Tablet] = []
        self._is_over = False
        self.happened = Happened()

    @property
    def homes(self) -> list[Path]:
        """Return every home directory, the copied tablet's too."""
        return sorted((self._folder / "tablets").iterdir())

    def run(self) -> None:
        """Hand out the tablets, then the three campaigns, to their end."""
        self._tell("20-5-2020: phát máy, đăng ký bằng mã một lần", "tablets enrol with one-time codes")
        self.hand_out_tablets()
        self._tell("23-5-2020: ra quân lần một", "first launch day")
        self.first_launch_day()
        self._tell("11-7-2020: ra quân lần hai", "second launch day")
        late = self.second_launch_day()
        self._tell("29-7 đến 9-8-2020: mỗi cán bộ vận động 3 người", "every officer persuades three")
        self.drive(late)
        self.evening()

    def close(self) -> None:
        """Kill the tablets that are still open, after an error."""
        with self._guard:
            self._is_over = True
            left, self._open = self._open, []
        for tablet in left:
            tablet.abort()

    def hand_out_tablets(self) -> None:
        """Enrol a tablet for each agent with a one-time code."""
        (self._folder / "tablets").mkdir()

        def enrol(agent: int) -> None:
            with self._tablet(self._home(agent)) as tablet:
                code = self.office.enrolment_code(agent)
                tablet.do("enrol", server=self._server.url, code=code, again=False)

        self._in_parallel([partial(enrol, agent.index) for agent in self._plan.agents])

    def first_launch_day(self) -> None:
        """23 May: a tablet is killed in its sync, an answer is lost, the server dies in a transaction."""
        killing = KillInTransaction(self._server, self._database)
        self._begin_day(FIRST_LAUNCH, LAUNCH_DAYS[FIRST_LAUNCH], LAUNCH_DAYS[FIRST_LAUNCH])
        roles = self._plan.roles
        is_home = {agent: threading.Event() for agent in roles.first}

        def work(agent: int) -> None:
            # Whom the first have enrolled the last enrol again: later by any clock.
            for earlier in is_home.values() if agent in roles.last else ():
                earlier.wait()
            try:
                is_killed, loses_reply = agent == roles.killed, agent == roles.unanswered
                self._shift(FIRST_LAUNCH, agent, is_killed=is_killed, loses_reply=loses_reply)
            finally:
                if agent in is_home:
                    is_home[agent].set()

        killing.start()
        try:
            self._in_parallel([partial(work, agent.index) for agent in self._plan.agents])
        finally:
            self.happened.killed_server = killing.finish()

    def second_launch_day(self) -> Tablet:
        """11 July: a tablet is copied, both copies work; another stays offline and is returned open."""
        roles, campaign = self._plan.roles, SECOND_LAUNCH
        copied_home = self._folder / "tablets" / f"{self._home(roles.cloned).name}-copy"
        shutil.copytree(self._home(roles.cloned), copied_home)
        self._begin_day(campaign, LAUNCH_DAYS[campaign], LAUNCH_DAYS[campaign])
        original, copy = self._opened(self._home(roles.cloned)), self._opened(copied_home)
        late = self._opened(self._home(roles.late))
        visits = self._plan.visits[campaign, roles.cloned]
        half = len(visits) // 2
        offline = [
            partial(self._record, original, visits[:half]),
            partial(self._record, copy, visits[half:]),
            partial(self._record, late, self._plan.visits[campaign, roles.late]),
        ]
        others = [agent.index for agent in self._plan.agents if agent.index not in {roles.cloned, roles.late}]
        self._in_parallel([*offline, *(partial(self._shift, campaign, agent) for agent in others)])
        self._settle_clone(original, copy)
        return late

    def drive(self, late: Tablet) -> None:
        """The officers' drive; it begins with the tablet that stayed offline since 11 July."""
        self._begin_day(DRIVE, DRIVE_WORK_FROM, DRIVE_WORK_TO)
        self._sync(late)
        self._close(late)
        self._in_parallel([partial(self._shift, DRIVE, agent.index) for agent in self._plan.agents])

    def evening(self) -> None:
        """Let the campaigns be over."""
        self._day.begin(office_moment_ms(EVENING_DAY, 8), office_moment_ms(EVENING_DAY, 9), 1)

    def _begin_day(self, campaign: int, from_day: date, to_day: date) -> None:
        steps = sum(len(visits) for (number, _), visits in self._plan.visits.items() if number == campaign)
        self._day.begin(office_moment_ms(from_day, 7, 30), office_moment_ms(to_day, 17, 30), steps)

    def _shift(
        self, campaign: int, agent: int, *, is_killed: bool = False, loses_reply: bool = False
    ) -> None:
        """One agent's work in one campaign: offline at the doors, then a sync."""
        home = self._home(agent)
        with self._tablet(home) as tablet:
            self._record(tablet, self._plan.visits[campaign, agent])
            if not is_killed:
                heard = self._sync(tablet, loses_reply=loses_reply)
                if loses_reply:
                    self.happened.reply_lost = any(event.get("status") == 200 for event in heard)
                return
            tablet.until("event", tablet.tell("sync", fault="hold_reply"))
            status, left = tablet.kill()
            self.happened.killed_tablet_status = status
            self.happened.killed_tablet_had_finished = b"done" in left
        with self._tablet(home) as tablet:
            self._sync(tablet)

    def _settle_clone(self, original: Tablet, copy: Tablet) -> None:
        """Both copies sync: the second is a fork, both are fenced, both enrol again and carry over."""
        happened = self.happened
        self._sync(original)
        happened.clone_codes = [tablet.do("sync").get("code") for tablet in (copy, original)]
        for tablet in (original, copy):
            code = self.office.enrolment_code(self._plan.roles.cloned)
            enrolled = tablet.do("enrol", server=self._server.url, code=code, again=True)
            happened.clone_predecessors.append(enrolled["predecessor"])
            self._sync(tablet)
            happened.clone_synced += 1
            self._close(tablet)

    def _record(self, tablet: Tablet, visits: Sequence[Visit]) -> None:
        for visit in visits:
            done = tablet.do("record", visit=visit.as_wire(self.office.officers))
            if self.happened.receipt is None and done["receipt"] is not None and visit.campaign == DRIVE:
                self.happened.receipt = done["receipt"]
            self._day.step()
            self._step()

    def _sync(self, tablet: Tablet, *, loses_reply: bool = False) -> list[dict[str, Any]]:
        done = tablet.do("sync", fault="lose_reply" if loses_reply else None)
        with self._guard:
            self.happened.syncs += 1
            if done["outcome"] != "synced" or done["unsent"] or done["differing_scopes"]:
                what = done.get("code") or f"unsent {done['unsent']}, scopes {done['differing_scopes']}"
                self.happened.failed_syncs.append(f"{tablet.home.name}: {what}")
        heard: list[dict[str, Any]] = done["heard"]
        return heard

    def _home(self, agent: int) -> Path:
        return self._folder / "tablets" / f"agent-{agent + 1:02d}"

    def _opened(self, home: Path) -> Tablet:
        with self._guard:
            if self._is_over:
                raise DemoFailedError("the replay was broken off")
            tablet = Tablet(home, self._clock_path, self._folder / "tablets.log")
            self._open.append(tablet)
            self.happened.processes += 1
        return tablet

    def _close(self, tablet: Tablet) -> None:
        tablet.close()
        with self._guard:
            if tablet in self._open:
                self._open.remove(tablet)

    @contextmanager
    def _tablet(self, home: Path) -> Iterator[Tablet]:
        tablet = self._opened(home)
        try:
            yield tablet
        finally:
            self._close(tablet)

    def _in_parallel(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run the tasks in order, eight at once; the first error ends the replay."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            futures = [pool.submit(task) for task in tasks]
            try:
                for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self.close()
                raise
