"""Backups of the office, restored the right way, the wrong way, and one that is too old."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from server.operations import make_backup, register_verified
from server.recovery.actions import end_recovery
from server.recovery.restore import restore
from tests.simulation.agents import CAPTURES
from tests.simulation.desk import correct, merge
from tests.simulation.events import enrol_again, move, orphan, revoke, sync_tablet
from tests.simulation.oracle.remembering import Backup
from tests.simulation.server_process import DISK, ServerKilledError, StatementFault
from tests.simulation.steps import Step
from tests.simulation.tablets import Tablet
from tests.simulation.violation import require
from tests.simulation.world import World

_MOST_BACKUPS = 5
_WITH_JOURNAL = Step("", (0, 0, 0, 0, 0), 0)


def back_up_office(world: World, _step: Step) -> None:
    """Take a backup, check it, and let it count."""
    if len(world.oracle.backups) >= _MOST_BACKUPS:
        return
    world.clock.advance(seconds=1)
    copied = world.oracle.copied()
    path = world.folder / f"backup-{copied.index}"
    runtime = world.server.runtime
    made = make_backup(runtime.transactions.engine, path)
    require(register_verified(runtime, made), "R10.4 a backup is registered")
    world.oracle.backed_up(copied)
    world.backups[copied.index] = path
    world.fire("office_backed_up")


def restore_office(world: World, step: Step) -> None:
    """Lose the database and put a backup in its place, mostly with the desk journal."""
    safe = [index for index in world.backups if index >= world.oracle.floor]
    forbidden = [index for index in world.backups if index < world.oracle.floor]
    if not safe:
        back_up_office(world, step)
        return
    is_too_old = bool(forbidden) and step.numbers[2] % 3 == 0
    _restore_one(world, step.pick(0, forbidden if is_too_old else safe), step)


def _restore_one(world: World, index: int, step: Step) -> None:
    backup, path = world.oracle.backups[index], world.backups[index]
    if index < world.oracle.floor:
        world.fire("restored_beyond_durable")
    world.clock.advance(seconds=2)
    world.note("  restoring", index, "of", sorted(world.backups))
    choice = step.numbers[1] % 10
    if choice < 6:
        _restore(world, backup, path, cut_off_at=step.numbers[3] % 80 if choice == 5 else None)
    elif choice < 9:
        _place_by_hand(world, backup, path)
    else:
        _restore_blindly(world, backup, path)
        if step.numbers[3] % 2:
            # The same once more, with the journal that was begun: it knows what the first one left out.
            world.clock.advance(seconds=2)
            _restore(world, backup, path, cut_off_at=None)
            enrol_again(world, step.pick(3, world.tablets), [])


def _restore(world: World, backup: Backup, path: Path, cut_off_at: int | None) -> None:
    world.fire("office_restored")
    world.let_go()
    if cut_off_at is not None:
        DISK.fault = StatementFault("server_killed", cut_off_at)
        try:
            restore(world.server.runtime, path)
        except ServerKilledError:
            world.fire("restore_cut_off")
        world.let_go()
        world.clock.advance(seconds=2)
    before = world.oracle.epoch
    done = restore(world.server.runtime, path)
    world.server.restart()
    require(done.epoch > before, "14 a restore begins an epoch", done.epoch, before)
    world.oracle.restored(backup, has_journal=True)
    world.oracle.restored_to(done.epoch)


def _restore_blindly(world: World, backup: Backup, path: Path) -> None:
    """The desk journal is lost as well, and the administrator says so."""
    world.fire("restored_without_journal")
    world.let_go()
    _lose_journal(world, backup)
    done = restore(world.server.runtime, path, without_desk_journal=True)
    world.server.restart()
    world.oracle.restored(backup, has_journal=False)
    require(done.epoch > world.oracle.epoch, "14 a restore begins an epoch", done.epoch, world.oracle.epoch)
    world.oracle.restored_to(done.epoch)


def _place_by_hand(world: World, backup: Backup, path: Path) -> None:
    """A new machine, and a file copied to it: the office does not know that it was restored."""
    world.fire("restored_by_hand")
    world.let_go()
    _lose_journal(world, backup)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{world.server.path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(path, world.server.path)
    world.server.restart()
    world.oracle.restored(backup, has_journal=False)


def _lose_journal(world: World, backup: Backup) -> None:
    for suffix in (".desk", ".desk.lock"):
        Path(f"{world.server.path}{suffix}").unlink(missing_ok=True)
    # Later backups know decisions that the journal, begun anew, will number otherwise.
    world.backups = {index: path for index, path in world.backups.items() if index <= backup.index}


def close_recovery(world: World) -> None:
    """Say that what has not been brought back by now is given up on."""
    world.fire("recovery_closed")
    end_recovery(world.server.runtime, anyway=True)
    world.oracle.is_recovering = False


def close_some_recovery(world: World, _step: Step) -> None:
    """Close a recovery, perhaps before everybody has synced."""
    if world.oracle.is_recovering:
        close_recovery(world)


def forget(world: World, step: Step) -> None:
    """Restore what lacks the newest work and decision: whom it knew, revoked, moved or merged."""
    back_up_office(world, step)
    choice = step.numbers[4] % 6
    if choice < 2:
        enrol_again(world, step.pick(0, world.tablets), [])
    else:
        (revoke, move, merge, correct)[choice - 2](
            world, Step("", (*step.numbers[:2], 3, *step.numbers[3:]), 1)
        )
    first, second = step.numbers[0] % len(world.tablets), (step.numbers[0] + 1) % len(world.tablets)
    CAPTURES["door"][1](world, Step("door", (first, *step.numbers[1:4], 1), step.salt))
    sync_tablet(world, world.tablets[first], [])
    newest = len(world.known.households) - 1
    CAPTURES["visit"][1](world, Step("visit", (second, newest, *step.numbers[2:4], 1), step.salt + 1))
    sync_tablet(world, world.tablets[second], [])
    restore_office(world, step)


def purge(world: World, step: Step) -> None:
    """Let a tablet's work be in two backups, and grow so old that the tablet lets go of it."""
    tablet = step.pick(0, world.tablets)
    CAPTURES["register"][1](world, Step("register", (*step.numbers[:4], 1), step.salt))
    back_up_office(world, step)
    for _ in range(2):
        sync_tablet(world, tablet, [])
        back_up_office(world, step)
    world.clock.advance(days=31)
    sync_tablet(world, tablet, [])
    choice = step.numbers[3] % 3
    if choice < 2 and world.backups:
        # The oldest lacks what is purged by now; the newest still knows that two others were verified.
        index = (min, max)[choice](world.backups)
        _restore_one(world, index, Step("", (0, 0, 0, 0, 0), step.salt))
        sync_tablet(world, tablet, [])


def forget_outcome(world: World, step: Step) -> None:
    """Restore a moment at which something was held that has come into effect, and was told of, since."""
    choice = step.numbers[4] % 3 if len(world.oracle.backups) <= _MOST_BACKUPS - 2 else 0
    (_forget_told, _forget_durable, _forget_order)[choice](world, step)


def _forget_told(world: World, step: Step) -> None:
    """Only the newest backup holds it: the tablet sends it again, perhaps."""
    first, second = _two_tablets(world, step)
    orphan(world, step)
    back_up_office(world, step)
    sync_tablet(world, first, [])
    sync_tablet(world, second, [])
    if world.backups:
        _restore_one(world, max(world.backups), _WITH_JOURNAL)
        sync_tablet(world, second, [])


def _forget_durable(world: World, step: Step) -> None:
    """Two backups hold it, and the tablet knows: it is not sent again, and no verdict is heard."""
    first, second = _two_tablets(world, step)
    orphan(world, step)
    for _ in range(2):
        back_up_office(world, step)
    for tablet in (second, first, second):
        sync_tablet(world, tablet, [])
    _restore_one(world, max(world.backups), _WITH_JOURNAL)
    sync_tablet(world, second, [])


def _forget_order(world: World, step: Step) -> None:
    """Let it be judged in another order after a restore, and then restore what holds the first order."""
    first, second = _two_tablets(world, step)
    back_up_office(world, step)
    before = max(world.backups)
    orphan(world, step)
    back_up_office(world, step)
    held = max(world.backups)
    for index, tablets in ((before, (first, second)), (held, (second,))):
        _restore_one(world, index, _WITH_JOURNAL)
        for tablet in tablets:
            sync_tablet(world, tablet, [])


def _two_tablets(world: World, step: Step) -> tuple[Tablet, Tablet]:
    """Return the tablets of `orphan`: who registers, and who visits."""
    place = step.numbers[0]
    return step.pick(0, world.tablets), world.tablets[(place + 1) % len(world.tablets)]


RESTORES: dict[str, tuple[int, Callable[[World, Step], None]]] = {
    "back_up_office": (4, back_up_office),
    "restore_office": (7, restore_office),
    "forget": (5, forget),
    "close_recovery": (1, close_some_recovery),
    "forget_outcome": (2, forget_outcome),
    "purge": (2, purge),
}
