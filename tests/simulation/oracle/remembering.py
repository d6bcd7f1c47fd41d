"""What the office must still know after a restore: backups rewind the oracle, the desk log does not.

A backup is a frozen copy of everything that a database holds. What the office decided is kept in a
list of its own, outside of any copy, and is played again onto the copy; where the desk journal is
lost, the list is cut off at the backup, and tablets show what was forgotten.
"""

from __future__ import annotations

import json
import pickle
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.simulation.oracle.judgement import Judgement
from tests.simulation.oracle.model import Installation, genesis
from tests.simulation.oracle.office import Assignment, Office

# What stands in the database, and goes back with it.
_HELD = (
    "office",
    "installations",
    "judgement",
    "codes",
    "incidents",
    "contested",
    "last_number",
    "epoch",
    "is_recovering",
    "verified",
    "waiting",
)
# At least so many numbers are left out where the desk journal is lost; how many more is the office's choice.
NUMBERS_LEFT_OUT = 10_000


@dataclass
class Backup:
    """One backup: the office as it was, and how long the desk journal was then."""

    index: int
    held: bytes
    desk_length: int
    marks: dict[str, int]
    delivered: frozenset[str]


class Remembering:
    """The part of the oracle that knows of backups, epochs and what outlives a database."""

    office: Office
    installations: dict[str, Installation]
    judgement: Judgement
    incidents: list[str]
    last_number: int
    epoch: int
    is_recovering: bool
    met: Counter[str]

    def remember_nothing(self) -> None:
        """Begin: no backup, no restore, nothing decided."""
        self.desk: list[tuple[Any, ...]] = []
        self.backups: list[Backup] = []
        # Indexes of the two newest backups that this epoch has registered, oldest first.
        self.verified: list[int] = []
        # Decisions that a restore could not replay yet: what they are about has not come back.
        self.waiting: list[tuple[str, str, int]] = []
        # Restoring one older than this may lose what devices have purged (rule 10).
        self.floor = 0
        # Counts restores and epochs: what a tablet heard in an earlier one may be forgotten by now.
        self.era = 0
        self.ever_delivered: set[str] = set()
        # (installation, position, digest) of all that was ever acknowledged.
        self.ever_acked: set[tuple[str, int, str]] = set()
        self.ever_durable: dict[str, int] = {}
        self.may_be_lost: set[str] = set()
        # Numbers of installations, whatever was restored since they were given.
        self.ever_given: set[int] = set()
        # The desk journal was lost, and no number has been given since.
        self.are_numbers_left_out = False

    def has_received(self, installation_id: str, seq: int, digest: str, sha256: str) -> None:
        """Note for ever what an installation has delivered."""
        self.ever_delivered.add(sha256)
        self.ever_acked.add((installation_id, seq, digest))

    def is_lineage_whole(self) -> bool:
        """Return whether every predecessor is known. Without the desk journal one may be forgotten.

        A certificate names it, but its marks and its key are gone.
        """
        return all(one.predecessor in {None, *self.installations} for one in self.installations.values())

    def delivered(self) -> set[str]:
        """Return the sha256 of every entry that the office has now."""
        return {entry.sha256 for entry in self.judgement.entries.values()}

    # --- what supervisors set up ---

    def assigned(self, assignment: Assignment) -> None:
        """Let an assignment begin."""
        self.office.assignments[assignment.assignment_id] = assignment
        self.desk.append(("assigned", assignment.assignment_id, assignment.worker, assignment.area,
                          assignment.from_ms))  # fmt: skip

    def ended(self, assignment_id: str, to_ms: int) -> None:
        """Let an assignment end."""
        self.office.assignments[assignment_id].to_ms = to_ms
        self.desk.append(("ended", assignment_id, to_ms))

    # --- backups and restores ---

    def copied(self) -> Backup:
        """Return what a backup of this moment holds; it does not know of itself."""
        state = tuple(getattr(self, name) for name in _HELD)
        return Backup(
            len(self.backups),
            pickle.dumps(state, pickle.HIGHEST_PROTOCOL),
            len(self.desk),
            {name: one.acked for name, one in self.installations.items()},
            frozenset(self.delivered()),
        )

    def backed_up(self, backup: Backup) -> None:
        """Let a backup count as verified."""
        self.backups.append(backup)
        self.verified = [*self.verified, backup.index][-2:]
        if len(self.verified) == 2:
            self.floor = max(self.floor, self.verified[0])

    def durable_seq(self, installation_id: str) -> int:
        """Return up to where both of the two newest backups hold a journal."""
        if len(self.verified) < 2:
            return 0
        durable = min(self.backups[index].marks.get(installation_id, 0) for index in self.verified)
        self.ever_durable[installation_id] = max(self.ever_durable.get(installation_id, 0), durable)
        return durable

    def number_due(self, shown: int | None) -> int:
        """Return the number that the next installation gets; `shown` is what it was given, where known.

        R11.5: a number that was given is not given again. After the desk journal was lost any is right
        that is far from those that the office knew of then, and was never given.
        """
        self.last_number += 1
        if self.are_numbers_left_out:
            self.are_numbers_left_out = False
            if shown is not None and shown not in self.ever_given:
                self.last_number = max(self.last_number, shown)
        self.ever_given.add(self.last_number)
        return self.last_number

    def restored(self, backup: Backup, *, has_journal: bool) -> None:
        """Go back to a backup; with the desk journal all that was decided is there again."""
        if backup.index < self.floor:
            self.may_be_lost |= self.backups[self.floor].delivered
        given = self.last_number
        for name, value in zip(_HELD, pickle.loads(backup.held), strict=True):
            setattr(self, name, value)
        self.era += 1
        if has_journal:
            for event in self.desk[backup.desk_length :]:
                self._replay(*event)
            # No number that anyone was given, or has shown, is given again.
            self.last_number = given
        else:
            del self.desk[backup.desk_length :]
            self.last_number += NUMBERS_LEFT_OUT
            self.are_numbers_left_out = True
        self.forget_views()

    def forget_views(self) -> None:
        raise NotImplementedError

    def _replay(self, kind: str, *what: Any) -> None:
        if kind == "assigned":
            self.office.assignments[what[0]] = Assignment(*what)
        elif kind == "ended":
            self.office.assignments[what[0]].to_ms = what[1]
        elif kind == "enrolled":
            self.readmit(what[0])
        elif kind == "fenced" and self.installations[what[0]].state == "active":
            self.installations[what[0]].state = "fenced"
        elif kind == "decided":
            self._decide_again((what[0], what[1], what[2]))
        elif kind == "revoked":
            self.installations[what[0]].state = "revoked"
            self.installations[what[0]].last_valid_seq = what[1]

    def _decide_again(self, decision: tuple[str, str, int]) -> None:
        if self.judgement.decide(*decision) is not None:
            self.waiting.append(decision)
            self.met["decision_waited"] += 1

    def replay_waiting(self) -> None:
        """Try again, in order, the decisions about what no tablet had brought back."""
        waiting, self.waiting = self.waiting, []
        for decision in waiting:
            if self.judgement.decide(*decision) is not None:
                self.waiting.append(decision)
        self.forget_views()

    def readmit_shown(self, certificate: str) -> bool:
        """Let an installation be known that shows its certificate, also after the next restore."""
        if not self.readmit(certificate):
            return False
        self.desk.append(("enrolled", certificate))
        return True

    def readmit(self, certificate: str) -> bool:
        """Let an installation be known as its certificate names it, with an empty journal."""
        content = json.loads(certificate)
        name, number = content["installation"], content["number"]
        if name in self.installations:
            return True
        if any(one.number == number for one in self.installations.values()):
            return False
        self.last_number = max(self.last_number, number)
        is_replaced = any(one.predecessor == name for one in self.installations.values())
        self.installations[name] = Installation(
            name,
            number,
            content["worker"],
            certificate,
            content["enrolled_ms"],
            content["predecessor"],
            state="superseded" if is_replaced else "active",
            digests=[genesis(name)],
        )
        predecessor = self.installations.get(content["predecessor"] or "")
        if predecessor is not None and predecessor.state != "revoked":
            predecessor.state = "superseded"
        return True

    def begin_epoch(self, above: int) -> None:
        """Begin the epoch after `above`, unless a later one has begun: nothing is durable in it yet."""
        if self.epoch <= above:
            self.met["epoch_begun_when_shown"] += 1
            self.restored_to(above + 1)

    def restored_to(self, epoch: int) -> None:
        """Let `epoch` begin: nothing is durable in it yet, and the office recovers."""
        self.epoch = epoch
        self.verified = []
        self.is_recovering = True
        self.era += 1
        self.forget_views()
