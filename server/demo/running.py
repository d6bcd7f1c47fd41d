"""The demo from its first line on the screen to its last: set up, replay, check, show, serve."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from server.demo import checks, declared, pages
from server.demo.figures import SCALES
from server.demo.fund.checks import fund_checks
from server.demo.fund.figures import FUND_SCALES
from server.demo.fund.plan import make_fund_plan
from server.demo.fund.replay import FundYear
from server.demo.office import DemoOffice, demo_environment, set_up_office
from server.demo.plan import Plan, make_plan
from server.demo.processes import (
    SERVER_COMMAND,
    DemoFailedError,
    ServerProcess,
    child_environment,
    free_port,
    recount_homes,
)
from server.demo.replay import Replay
from server.demo.screen import Screen
from server.office.actions import NewArea
from server.office.area_list import TIEN_GIANG_2025, read_area_list
from sync.clock import VirtualClock

PREFERRED_PORT = 8000


@dataclass(frozen=True)
class DemoAsked:
    """What the command line asked for. `folder` None: a temporary one, removed at the end.

    `part` is "all", "campaigns" without a fund's year, or "fund" for that year on an office whose campaigns
    were not replayed.
    """

    is_once: bool
    seed: int
    scale: str
    folder: Path | None
    port: int
    server_command: Sequence[str] = SERVER_COMMAND
    part: str = "all"


def run_demo(asked: DemoAsked) -> bool:
    """Run the demo; return whether every figure and the recount agree. Raises DemoFailedError."""
    screen = Screen()
    with _interruptible(), ExitStack() as closing:
        folder = closing.enter_context(_folder(asked.folder))
        started_s = time.monotonic()
        areas = read_area_list(TIEN_GIANG_2025)
        plan = make_plan(SCALES[asked.scale], asked.seed, areas)
        screen.introduce(plan, sum(area.level == "commune" for area in areas))
        port = free_port(asked.port)
        clock = VirtualClock(folder / "clock.json")
        environment = demo_environment(folder, f"http://127.0.0.1:{port}")
        office = set_up_office(plan, areas, environment, clock)
        closing.callback(office.runtime.transactions.engine.dispose)
        server = ServerProcess(asked.server_command, environment, port, folder / "server.log")
        closing.callback(server.stop)
        server.start()
        found: list[checks.Check] = []
        if asked.part != "fund":
            found += _campaigns(_Stage(plan, office, server, clock, folder, environment), screen, closing)
        if asked.part != "campaigns":
            found += _fund_year(asked, areas, office, server, clock, folder, screen)
        screen.show_checks(found, time.monotonic() - started_s)
        screen.show_addresses(server.url, office.log_ins)
        if asked.folder is not None:
            _keep_environment(folder, environment)
        if not asked.is_once:
            screen.invite()
            _wait_for_interrupt()
        return all(check.is_right for check in found)


@dataclass(frozen=True)
class _Stage:
    """Where the campaigns are replayed."""

    plan: Plan
    office: DemoOffice
    server: ServerProcess
    clock: VirtualClock
    folder: Path
    environment: dict[str, str]


def _campaigns(stage: _Stage, screen: Screen, closing: ExitStack) -> list[checks.Check]:
    """Replay the campaigns, show what came of them, and return what was looked at."""
    plan, server = stage.plan, stage.server
    with screen.progress(plan) as (tell, step):
        replay = Replay(plan, stage.office, server, stage.clock, stage.folder, tell, step)
        closing.callback(replay.close)
        replay.run()
    found = _checked(plan, replay, server, stage.environment, screen)
    screen.show_receipt(server.url, replay.happened.receipt)
    screen.show_board(found.board)
    return found.checks


def _fund_year(
    asked: DemoAsked,
    areas: list[NewArea],
    office: DemoOffice,
    server: ServerProcess,
    clock: VirtualClock,
    folder: Path,
    screen: Screen,
) -> list[checks.Check]:
    """Replay a year of a fund on the same office, and hold its books against the recount."""
    plan = make_fund_plan(FUND_SCALES[asked.scale], asked.seed, areas)
    screen.introduce_fund(plan)
    year = FundYear(plan, office.runtime, server, clock, folder / "fund", screen.say)
    year.run()
    screen.say("Đếm lại quỹ từ giấy tờ và máy…", "Recounting the fund from paper and tablets…")
    return list(fund_checks(office.runtime, plan, year, server.url))


@dataclass(frozen=True)
class _Found:
    board: checks.Board
    checks: list[checks.Check]


def _checked(
    plan: Plan, replay: Replay, server: ServerProcess, environment: dict[str, str], screen: Screen
) -> _Found:
    """Hold the board against the published figures, the recount and the entries' own bytes."""
    screen.say("Đếm lại và đối chiếu…", "Recounting and comparing…")
    verifying = subprocess.Popen(  # noqa: S603  # our own command
        [*SERVER_COMMAND, "quotas", "verify"],
        env=child_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    recount = recount_homes(replay.homes)
    office, happened = replay.office, replay.happened
    with office.runtime.transactions.reading() as connection:
        board = checks.read_board(connection)
        found = [
            *checks.figures_checks(plan, board),
            *checks.plan_checks(plan, board),
            *checks.recount_checks(connection, office, board, recount),
            *checks.register_checks(connection, plan),
            *checks.planted_checks(connection, plan, board, recount, happened),
            *checks.integrity_checks(connection),
        ]
    said = verifying.communicate()[0].decode().strip()
    found.append(
        checks.Check(
            ("tungnha quotas verify", "derives everything again from the entries' bytes"),
            (0, "No difference."),
            (verifying.returncode, said[-500:]),
        )
    )
    if happened.receipt is not None:
        found.append(pages.receipt_check(server.url, happened.receipt))
    found.append(pages.board_page_check(server.url, office.log_ins[1], plan.scale))
    found.append(pages.plan_page_check(server.url, office.log_ins[1]))
    found.append(pages.outside_page_check(server.url, office.log_ins[1]))
    with pages.logged_in(server.url, office.log_ins[0]) as (browser, _status):
        found += declared.declared_checks(browser, recount)
        found.append(declared.reimport_check(browser, office.runtime))
        if happened.receipt is not None:
            found.append(declared.official_number_check(browser, happened.receipt))
    return _Found(board, found)


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """Give the demo's folder: a fresh one, removed at the end unless it is to be kept."""
    if kept is not None:
        if kept.exists() and any(kept.iterdir()):
            raise DemoFailedError(f"{kept} is not empty")
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield kept.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="tungnha-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep_environment(folder: Path, environment: dict[str, str]) -> None:
    """Write the configuration beside what it opens, for its owner alone."""
    path = folder / "office.env"
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in environment.items()), encoding="ascii")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let a polite request to end unwind like Ctrl-C, so that no process is left behind."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _wait_for_interrupt() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
