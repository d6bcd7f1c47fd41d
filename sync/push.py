"""Where a pushed run of entries stands against the journal that the server holds.

Pure: the caller passes what is stored. Decides replay, append, gap, fork or mismatch; never looks
into an entry.
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
class Append:
    """The run fits: the first `replayed` entries are known, `digests` belong to all of them."""

    replayed: int
    digests: Sequence[str]


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


Placement = Append | Gap | Fork | HeadMismatch


def place(pushed: Pushed, journal_head: JournalHead, acked_seq: int, stored: Mapping[int, str]) -> Placement:
    """Return how `pushed` meets a journal acknowledged up to `acked_seq`.

    `stored` holds the digests by seq of every position that the run overlaps, of the one before
    it, and of `journal_head.seq` where the server has it.
    """
    digests = chain(pushed.previous_digest, pushed.sha256s)
    if not head_agrees(pushed, digests, journal_head):
        return HeadMismatch()
    if pushed.first_seq > acked_seq + 1:
        return Gap(expected_seq=acked_seq + 1)
    if stored[pushed.first_seq - 1] != pushed.previous_digest:
        return Fork(seq=pushed.first_seq - 1)
    for seq, digest in enumerate(digests, start=pushed.first_seq):
        if seq > acked_seq:
            break
        if stored[seq] != digest:
            return Fork(seq=seq)
    if contradicts(journal_head, acked_seq, stored):
        return Fork(seq=journal_head.seq)
    return Append(replayed=min(len(digests), acked_seq - pushed.first_seq + 1), digests=digests)


def head_agrees(pushed: Pushed, digests: Sequence[str], journal_head: JournalHead) -> bool:
    """Return whether the stated head can be the head of a journal that holds the run."""
    if journal_head.seq < pushed.last_seq:
        return False
    if not digests:
        return True
    return journal_head.seq > pushed.last_seq or journal_head.digest == digests[-1]


def contradicts(journal_head: JournalHead, acked_seq: int, stored: Mapping[int, str]) -> bool:
    """Return whether a signed head names another digest than the stored one at its position."""
    return journal_head.seq <= acked_seq and stored[journal_head.seq] != journal_head.digest
