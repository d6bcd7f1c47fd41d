"""What happens besides captures: syncs with their faults, clocks, copies, supervisors, restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from field_client import session
from field_client.delivery import DeviceCopiedError, NotAcknowledgedError
from field_client.enrolment import OtherWorkerError
from field_client.exchange import RefusedError, ServerBusyError
from field_client.session import NoProgressError
from field_client.transport import LineDownError, NotOurServerError
from server.audit.changes import run_change
from server.devices.actions import revoke_installation
from server.exchange.jobs import expire_held_entries
from server.office.actions import assign_worker, end_assignment
from sync.clock import DAY_MS
from tests.simulation import plan
from tests.simulation.agents import CAPTURES
from tests.simulation.founding import ACTOR
from tests.simulation.invariants import require_all_there, require_same_view, require_told
from tests.simulation.oracle.office import Assignment
from tests.simulation.steps import Step
from tests.simulation.tablets import Tablet, TabletKilledError
from tests.simulation.violation import Violation, require
from tests.simulation.world import SERVER_URL, World

# What lets two journals, or two moments, pass for one.
DISTORTING = ("tablet_cloned", "tablet_restored", "request_delivered_late")
_FAILURES = (
    LineDownError,
    NotOurServerError,
    ServerBusyError,
    RefusedError,
    DeviceCopiedError,
    NotAcknowledgedError,
    NoProgressError,
    OtherWorkerError,
)
_LINE_FAULTS = (
    "request_lost",
    "answer_lost",
    "answer_lost",
    "duplicated",
    "answer_cut",
    "portal_page",
    "portal_forgery",
    "tampered",
)


def _planned(step: Step) -> list[str]:
    """Return what the line does in this sync: mostly nothing, else one fault, perhaps for good."""
    choice = step.numbers[1] % 20
    if choice < 8:
        return []
    if choice < 16:
        fault = _LINE_FAULTS[choice - 8]
    else:
        kind = ("server_killed", "server_killed", "disk_full", "database_locked")[choice - 16]
        fault = f"{kind}:{step.numbers[2] % 60}"
    stays_down = ["down"] * 6 if step.numbers[3] % 2 else []
    return ["" for _ in range(step.numbers[3] % 3 // 2)] + [fault, *stays_down]


def sync_tablet(world: World, tablet: Tablet, faults: list[str], dies_at: int | None = None) -> bool:
    """Let a tablet sync; return whether it came to rest. What may go wrong depends on the faults."""
    is_stopped = tablet.stopped is not None
    kept = _people_on(tablet) if world.oracle.is_recovering else set()
    tablet.line = list(faults)
    tablet.connection.left = dies_at
    try:
        report = tablet.client.sync()
    except TabletKilledError:
        world.fire("tablet_killed_syncing")
        world.note("  killed", tablet.name)
        tablet.reopen()
        return False
    except _FAILURES as error:
        world.note("  failed", tablet.name, type(error).__name__, error)
        is_told_to_stop = isinstance(error, DeviceCopiedError)
        if not faults and dies_at is None and not is_stopped and not is_told_to_stop:
            raise Violation(f"L a sync without any fault fails: {type(error).__name__} {error}") from error
        return False
    finally:
        tablet.line = []
        tablet.connection.left = None
    installation = world.oracle.installations[tablet.installation or ""]
    require(report.unsent == 0, "L the outbox is empty after a sync", tablet.name)
    require(not report.differing_scopes, "9 sums are equal", tablet.name, report.differing_scopes)
    if world.oracle.is_recovering:
        require(kept <= _people_on(tablet), "R11.3 nothing leaves a device meanwhile", tablet.name)
    tablet.has_rested(world.oracle.era)
    purged = tablet.connection.execute("SELECT count(*) FROM entry WHERE purged_ms IS NOT NULL").fetchone()[0]
    world.fired["tablet_purged"] += purged > tablet.purged
    tablet.purged = purged
    require_all_there(tablet, world.oracle)
    is_active = installation.state == "active"
    scopes = world.oracle.office.scopes(tablet.worker, world.clock.now_ms()) if is_active else []
    require_same_view(tablet, world.oracle, scopes)
    if is_active and not tablet.heard.is_misled:
        require_told(tablet, world.oracle)
    return True


def _people_on(tablet: Tablet) -> set[str]:
    return {*tablet.client.replica.records("household"), *tablet.client.replica.records("person")}


def is_at_rest(world: World, tablet: Tablet) -> bool:
    """Return whether a sync would bring this tablet and the server nothing but a clock mark."""
    installation = tablet.installation
    if installation is None or tablet.stopped is not None:
        return False
    known = world.oracle.installations.get(installation)
    if known is None or tablet.heard.era != world.oracle.era:
        return False
    cursors = tablet.client.replica.cursors()
    is_active = known.state == "active"
    scopes = world.oracle.office.scopes(tablet.worker, world.clock.now_ms()) if is_active else []
    if tablet.client.outbox.unsent_count() or sorted(cursors) != scopes or not is_active:
        return False
    heads = dict(world.stored().execute("SELECT scope, seq FROM scope_head").fetchall())
    return all(cursor.seq == heads.get(scope, 0) for scope, cursor in cursors.items())


def sync(world: World, step: Step) -> None:
    """Let one tablet sync, mostly one that has something to send or to hear."""
    restless = world.tablets
    if step.numbers[2] % 4:
        restless = [tablet for tablet in world.tablets if not is_at_rest(world, tablet)] or world.tablets
    dies_at = step.numbers[3] % 60 if step.numbers[4] % 8 == 0 else None
    sync_tablet(world, step.pick(0, restless), _planned(step), dies_at)


def replay(world: World, step: Step) -> None:
    """Let the network deliver an old request once more; nobody hears the answer."""
    if not world.requests:
        return
    tablet, path, body, signature = step.pick(1, world.requests)
    world.fire("request_delivered_late")
    world.deliver(tablet, path, body, signature)


def clone(world: World, step: Step) -> None:
    """Copy a tablet, as a backup that is put on a second device does."""
    if len(world.tablets) < 5:
        world.fire("tablet_cloned")
        first = step.numbers[0] % len(world.tablets)
        world.clone(world.tablets[first])
        for place in (first, len(world.tablets) - 1) if step.numbers[1] % 2 else ():
            # Both go on writing at the same position of one journal.
            kind = step.pick(2, ("pay", "register"))
            CAPTURES[kind][1](world, Step(kind, (place, *step.numbers[1:4], 1), step.salt + place))
        for place in (first, len(world.tablets) - 1) if step.numbers[3] % 3 else ():
            sync_tablet(world, world.tablets[place], [])


def back_up_tablet(world: World, step: Step) -> None:
    """Take a backup of a tablet, or put back one that was taken."""
    kept = [tablet for tablet in world.tablets if tablet.backup is not None]
    if kept and step.numbers[1] % 3:
        world.fire("tablet_restored")
        tablet = step.pick(0, kept)
        tablet.restored(tablet.backup)
        tablet.backup = None
    else:
        tablet = step.pick(0, world.tablets)
        tablet.back_up()


def enrol_again(world: World, tablet: Tablet, faults: list[str]) -> None:
    """Give a tablet a new installation in place of its own."""
    tablet.line = list(faults)
    code = world.new_code(tablet.worker)
    world.fire("enrolled_again")
    try:
        for _ in range(2):
            try:
                tablet.client.enrol_again(code, SERVER_URL)
                return
            except (LineDownError, NotOurServerError, ServerBusyError, RefusedError) as error:
                world.note("  enrolment failed", type(error).__name__, error)
                if isinstance(error, RefusedError) and error.code != "storage_full":
                    raise Violation(f"N2/N4 an enrolment is refused: {error.code}") from error
                tablet.line = []
        raise Violation("L an enrolment without any fault fails")
    finally:
        tablet.line = []


def reenrol(world: World, step: Step) -> None:
    """Enrol a tablet again, mostly one that was told to stop."""
    stopped = [tablet for tablet in world.tablets if tablet.stopped is not None]
    if stopped or step.numbers[2] % 3 == 0:
        enrol_again(world, step.pick(0, stopped or world.tablets), _planned(step)[:1])


def replace_tablet(world: World, step: Step) -> None:
    """Give an agent a second tablet."""
    if len(world.tablets) < 5:
        world.fire("tablet_added")
        worker = step.pick(0, sorted(world.oracle.office.workers))
        tablet = world.new_tablet(worker)
        tablet.client.enrol(SERVER_URL, world.new_code(worker))


def revoke(world: World, step: Step) -> None:
    """Revoke a tablet."""
    tablet = step.pick(0, world.tablets)
    if tablet.installation not in world.oracle.installations:
        return
    world.fire("tablet_revoked")
    transactions, installation = world.server.runtime.transactions, tablet.installation
    run_change(
        transactions, ACTOR, world.clock.now_ms(), lambda change: revoke_installation(change, installation)
    )
    world.oracle.revoked(installation)


def move(world: World, step: Step) -> None:
    """End an agent's assignment, or begin another one, while tablets are wherever they are."""
    office, now_ms = world.oracle.office, world.clock.now_ms()
    worker = step.pick(0, sorted(office.workers))
    runtime = world.server.runtime
    running = [
        name for name, span in office.assignments.items() if span.worker == worker and span.to_ms is None
    ]
    world.fire("agent_moved")
    if running and step.numbers[1] % 2:
        ended = step.pick(2, sorted(running))
        to_ms = max(now_ms - step.numbers[3] % 3 * DAY_MS, office.assignments[ended].from_ms)
        run_change(runtime.transactions, ACTOR, now_ms, lambda change: end_assignment(change, ended, to_ms))
        world.oracle.ended(ended, to_ms)
        return
    area = step.pick(2, (*plan.COMMUNES, plan.DISTRICT))
    name = run_change(
        runtime.transactions,
        ACTOR,
        now_ms,
        lambda change: assign_worker(change, runtime.ids, worker, "agent", area_key=area),
    )
    world.oracle.assigned(Assignment(name, worker, area, now_ms))


def orphan(world: World, step: Step) -> None:
    """Let one tablet deliver what refers to something that another has not delivered yet."""
    first, second = step.numbers[0] % len(world.tablets), (step.numbers[0] + 1) % len(world.tablets)
    CAPTURES["register"][1](world, Step("register", (first, *step.numbers[1:4], 1), step.salt))
    newest = len(world.known.households) - 1
    CAPTURES["visit"][1](world, Step("visit", (second, newest, *step.numbers[2:4], 1), step.salt + 1))
    sync_tablet(world, world.tablets[second], [])


def outlive(world: World, step: Step) -> None:
    """Let what is held wait for more than a month, and come into effect all the same."""
    orphan(world, step)
    expire(world, Step("expire", (0, 1, *step.numbers[2:]), step.salt))
    sync_tablet(world, world.tablets[step.numbers[0] % len(world.tablets)], [])


def kill_in_push(world: World, step: Step) -> None:
    """Let the server die somewhere in the middle of a batch that has many effects."""
    place = step.numbers[0] % len(world.tablets)
    CAPTURES["door"][1](world, Step("door", (place, *step.numbers[1:4], 1), step.salt))
    sync_tablet(world, world.tablets[place], [f"server_killed:{20 + step.numbers[2] % 60}"])


def turn_clock(world: World, step: Step) -> None:
    """Let a tablet's clock be wrong, run out of power, or start anew."""
    tablet = step.pick(0, world.tablets)
    choice = step.numbers[1] % 4
    if choice == 0:
        world.fire("clock_set_ahead")
        tablet.clock.offset_ms += (1 + step.numbers[2] % 40) * DAY_MS
    elif choice == 1:
        world.fire("clock_set_back")
        tablet.clock.offset_ms -= (1 + step.numbers[2] % 900) * 3_600_000
    elif choice == 2:
        world.fire("battery_dead")
        tablet.clock.offset_ms = 946_684_800_000 - world.clock.now_ms()
        tablet.reopen()
    else:
        world.fire("tablet_rebooted")
        tablet.reopen()


def wait(world: World, step: Step) -> None:
    """Let time pass: minutes, hours, days, and seldom more than a month."""
    minutes = step.pick(1, (1, 7, 60, 300, 1440, 4320, 14_400, 46_000))
    world.clock.advance(ms=minutes * 60_000 + step.numbers[2] * 13)


def expire(world: World, step: Step) -> None:
    """Run the nightly job, after a month if things are held."""
    if step.numbers[1] % 3 and any(entry.waits for entry in world.oracle.judgement.entries.values()):
        world.fire("held_for_a_month")
        world.clock.advance(days=31)
    expire_held_entries(world.server.runtime)
    world.oracle.expired(world.clock.now_ms())


def narrow(world: World, step: Step) -> None:
    """From now on pushes and pulls take several rounds."""
    world.narrow_to = 2 + step.numbers[0] % 6


@contextmanager
def narrow_line(world: World) -> Iterator[None]:
    """Let clients ask for as little at once as the world says."""
    wide = session.LIMITS

    class Narrow:
        def __getattr__(self, name: str) -> int:
            is_narrow = world.narrow_to is not None and name in {"batch_entries", "pull_rows"}
            return world.narrow_to if is_narrow else getattr(wide, name)

    with mock.patch.object(session, "LIMITS", Narrow()):
        yield


def restart(world: World, _step: Step) -> None:
    """Stop the server and start it."""
    world.fire("server_restarted")
    world.server.restart()


EVENTS: dict[str, tuple[int, Callable[[World, Step], None]]] = {
    "sync": (42, sync),
    "replay": (4, replay),
    "clone": (4, clone),
    "back_up_tablet": (6, back_up_tablet),
    "reenrol": (4, reenrol),
    "replace_tablet": (1, replace_tablet),
    "revoke": (3, revoke),
    "move": (5, move),
    "orphan": (3, orphan),
    "outlive": (2, outlive),
    "kill_in_push": (3, kill_in_push),
    "turn_clock": (5, turn_clock),
    "wait": (8, wait),
    "expire": (4, expire),
    "narrow": (2, narrow),
    "restart": (1, restart),
}
