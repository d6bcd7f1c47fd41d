"""Where a pushed run of entries stands against the journal that the server holds.

Pure: the caller passes what is stored. Decides replay, append, gap, fork or mismatch, and whether a
declared hole is one; never looks into an entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.journal import chain


@dataclass(frozen=True, slots=True)
class JournalHead:
    """The last position of a journal and the chain digest there (hex); (0, d(0)) when empty."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """A run of consecutive entries: SHA-256 of each, hex, and the digest before the first."""

    first_seq: int
    previous_digest: str
    sha256s: Sequence[str]

    @property
    def last_seq(self) -> int:
        """Return the position of the last entry; first_seq - 1 when there is none."""
        return self.first_seq + len(self.sha256s) - 1


@dataclass(frozen=True, slots=True)
class Hole:
    """Entries that a device has purged and the server lacks, both ends included; the digest at the last."""

    from_seq: int
    floor_seq: int
    floor_digest: str


@dataclass(frozen=True, slots=True)
class Append:
    """The run fits: the first `replayed` entries are known, `digests` belong to all of them.

    `hole` is what was declared lost before the run, where the server really lacks it.
    """

    replayed: int
    digests: Sequence[str]
    hole: Hole | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries are missing before the run; the device resends from `expected_seq`."""

    expected_seq: int


@dataclass(frozen=True, slots=True)
class Fork:
    """The signed run contradicts the stored chain at `seq`: a clone or a restored backup."""

    seq: int


@dataclass(frozen=True, slots=True)
class HeadMismatch:
    """The stated head is not the digest of the entries sent: refused, nothing is stored."""


@dataclass(frozen=True, slots=True)
class HoleMismatch:
    """The declared hole does not end where the run begins: refused, nothing is stored."""


Placement = Append | Gap | Fork | HeadMismatch | HoleMismatch


def place(
    pushed: Pushed,
    journal_head: JournalHead,
    acked_seq: int,
    stored: Mapping[int, str],
    hole: Hole | None = None,
    lost: Sequence[Hole] = (),
) -> Placement:
    """Return how `pushed`, with the `hole` declared before it, meets a journal up to `acked_seq`.

    `stored` holds the digests by seq of every position that the run overlaps, of the one before
    it, and of `journal_head.seq` where the server has it. `lost` are the holes accepted before:
    inside them no digest is known, so nothing contradicts there, and nothing is taken there any more.
    """
    digests = chain(pushed.previous_digest, pushed.sha256s)
    if not head_agrees(pushed, digests, journal_head):
        return HeadMismatch()
    if hole is not None and not hole_fits(hole, pushed, journal_head):
        return HoleMismatch()
    if pushed.first_seq > acked_seq + 1:
        if hole is None or hole.from_seq != acked_seq + 1:
            return Gap(expected_seq=acked_seq + 1)
        return Append(replayed=0, digests=digests, hole=hole)
    replayed = min(len(digests), acked_seq - pushed.first_seq + 1)
    known = [(pushed.first_seq - 1, pushed.previous_digest)]
    known += enumerate(digests[:replayed], start=pushed.first_seq)
    for seq, digest in known:
        if contradicts(JournalHead(seq, digest), acked_seq, stored, lost):
            return Fork(seq=seq)
    if contradicts(journal_head, acked_seq, stored, lost):
        return Fork(seq=journal_head.seq)
    if any(gone.from_seq <= seq <= gone.floor_seq for seq, _ in known[1:] for gone in lost):
        return Gap(expected_seq=acked_seq + 1)
    return Append(replayed=replayed, digests=digests)


def head_agrees(pushed: Pushed, digests: Sequence[str], journal_head: JournalHead) -> bool:
    """Return whether the stated head can be the head of a journal that holds the run."""
    if journal_head.seq < pushed.last_seq:
        return False
    if not digests:
        return True
    return journal_head.seq > pushed.last_seq or journal_head.digest == digests[-1]


def hole_fits(hole: Hole, pushed: Pushed, journal_head: JournalHead) -> bool:
    """Return whether a declared hole ends where the run begins, with the same digest."""
    if (hole.floor_seq, hole.floor_digest) != (pushed.first_seq - 1, pushed.previous_digest):
        return False
    is_head = journal_head.seq == hole.floor_seq
    return hole.from_seq <= hole.floor_seq and (not is_head or journal_head.digest == hole.floor_digest)


def contradicts(
    journal_head: JournalHead, acked_seq: int, stored: Mapping[int, str], lost: Sequence[Hole] = ()
) -> bool:
    """Return whether a signed head names another digest than the stored one at its position.

    Inside a hole none is known, which says nothing; the one at its end was declared with it.
    """
    seq = journal_head.seq
    if seq > acked_seq or any(gone.from_seq <= seq < gone.floor_seq for gone in lost):
        return False
    return stored[seq] != journal_head.digest
