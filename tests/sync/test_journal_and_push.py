"""The hash chain, and where a pushed run stands against it: pure properties."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from sync.journal import chain, entry_sha256, genesis_digest, next_digest
from sync.push import Append, Fork, Gap, HeadMismatch, Hole, HoleMismatch, JournalHead, Pushed, place

INSTALLATION = "018f0000-0000-7000-8000-000000000001"
GENESIS = genesis_digest(INSTALLATION)
texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=8)


def digests_of(entries: list[str]) -> list[str]:
    """Return d(0), d(1), … of a journal."""
    return [GENESIS, *chain(GENESIS, map(entry_sha256, entries))]


def stored_by(entries: list[str]) -> dict[int, str]:
    """Return the digests that a server stores, by seq."""
    return dict(enumerate(digests_of(entries)))


def test_the_chain_is_as_the_protocol_says():
    """[E4] d(0) is of the installation id, d(n) of d(n-1) and the hash of the bytes."""
    first, second = "một", "hai"
    d0 = hashlib.sha256(INSTALLATION.encode()).digest()
    d1 = hashlib.sha256(d0 + hashlib.sha256(first.encode()).digest()).digest()
    d2 = hashlib.sha256(d1 + hashlib.sha256(second.encode()).digest()).digest()
    assert digests_of([first, second]) == [d0.hex(), d1.hex(), d2.hex()]


@given(texts, st.integers(0, 8))
def test_a_chain_can_be_continued_from_any_position(entries, cut):
    sha256s = [entry_sha256(text) for text in entries]
    head = chain(GENESIS, sha256s[:cut])
    rest = chain(head[-1] if head else GENESIS, sha256s[cut:])
    assert head + rest == chain(GENESIS, sha256s)


@given(texts.filter(bool), st.data())
def test_no_change_of_any_entry_leaves_the_head_as_it_was(entries, data):
    index = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(
        st.text(st.characters(codec="utf-8"), max_size=8).filter(lambda text: text != entries[index])
    )
    changed = [*entries[:index], other, *entries[index + 1 :]]
    assert digests_of(changed)[-1] != digests_of(entries)[-1]


def pushed(entries: list[str], first_seq: int, last_seq: int) -> tuple[Pushed, JournalHead]:
    """Return an honest run of a journal and its stated head."""
    digests = digests_of(entries)
    sha256s = [entry_sha256(text) for text in entries[first_seq - 1 : last_seq]]
    return Pushed(first_seq, digests[first_seq - 1], sha256s), JournalHead(len(entries), digests[-1])


@given(texts, st.data())
def test_an_honest_run_is_appended_or_a_gap_and_nothing_else(entries, data):
    acked = data.draw(st.integers(0, len(entries)))
    first = data.draw(st.integers(1, len(entries) + 1))
    last = data.draw(st.integers(first - 1, len(entries)))
    run, head = pushed(entries, first, last)
    placement = place(run, head, acked, stored_by(entries[:acked]))
    if first > acked + 1:
        assert placement == Gap(expected_seq=acked + 1)
    else:
        assert isinstance(placement, Append)
        assert placement.replayed == max(0, min(last, acked) - first + 1)
        assert list(placement.digests) == digests_of(entries)[first : last + 1]


@given(texts.filter(bool), texts.filter(bool), st.data())
def test_a_run_that_contradicts_what_is_stored_is_a_fork_at_the_contradiction(entries, others, data):
    acked = len(entries)
    index = data.draw(st.integers(0, min(len(entries), len(others)) - 1))
    forked = [*entries[:index], *others[index:]]
    if digests_of(forked)[: acked + 1] == digests_of(entries)[: len(forked) + 1]:
        return
    run, head = pushed(forked, 1, len(forked))
    placement = place(run, head, acked, stored_by(entries))
    meeting = next(
        (seq for seq in range(1, min(acked, len(forked)) + 1) if entries[seq - 1] != forked[seq - 1]), None
    )
    if meeting is None:
        assert isinstance(placement, Append)
    else:
        assert placement == Fork(seq=meeting)


def test_a_previous_digest_that_is_not_the_stored_one_is_a_fork():
    entries = ["a", "b", "c"]
    run, head = pushed(["x", "b", "c", "d"], 4, 4)
    assert place(run, head, 3, stored_by(entries)) == Fork(seq=3)


def test_a_head_that_is_not_the_digest_of_the_run_is_a_mismatch():
    """[Q1] Where the head is the last entry sent it is its digest."""
    run, _ = pushed(["a", "b"], 1, 2)
    for head in (JournalHead(2, "0" * 64), JournalHead(1, digests_of(["a"])[-1]), JournalHead(0, GENESIS)):
        assert place(run, head, 0, {0: GENESIS}) == HeadMismatch()


def test_a_head_further_on_cannot_be_checked_and_is_believed():
    run, _ = pushed(["a", "b"], 1, 2)
    assert isinstance(place(run, JournalHead(9, "0" * 64), 0, {0: GENESIS}), Append)


def test_a_head_behind_the_acknowledged_end_must_be_an_honest_prefix():
    entries = ["a", "b", "c"]
    run, head = pushed(entries[:2], 1, 2)
    assert place(run, head, 3, stored_by(entries)) == Append(replayed=2, digests=digests_of(entries)[1:3])
    empty = Pushed(4, digests_of(entries)[3], [])
    assert place(empty, JournalHead(3, "0" * 64), 3, stored_by(entries)) == Fork(seq=3)


def test_next_digest_takes_only_the_hash_of_a_payload():
    """[E4] The chain still verifies when a payload is gone."""
    assert next_digest(GENESIS, entry_sha256("a")) == digests_of(["a"])[1]


@given(texts.filter(bool), st.data())
def test_a_hole_is_taken_only_where_the_entries_are_missing(entries, data):
    """[R4.4] Its first entry is the first one after the acknowledged end; one not needed says nothing."""
    acked = data.draw(st.integers(0, len(entries)))
    floor = data.draw(st.integers(1, len(entries)))
    from_seq = data.draw(st.integers(1, floor))
    run, head = pushed(entries, floor + 1, len(entries))
    hole = Hole(from_seq, floor, digests_of(entries)[floor])
    placement = place(run, head, acked, stored_by(entries[:acked]), hole)
    if floor <= acked:
        assert placement == place(run, head, acked, stored_by(entries[:acked]))
    elif from_seq == acked + 1:
        assert placement == Append(0, digests_of(entries)[floor + 1 :], hole)
    else:
        assert placement == Gap(expected_seq=acked + 1)


@given(texts.filter(bool), st.data())
def test_a_hole_hides_no_contradiction_beside_it_and_invents_none_inside(entries, data):
    """[R4.6] Inside a hole no digest is known; an honest run is never a fork, and none fills the hole."""
    acked = len(entries)
    floor = data.draw(st.integers(1, acked))
    from_seq = data.draw(st.integers(1, floor))
    lost = [Hole(from_seq, floor, digests_of(entries)[floor])]
    known = {seq: digest for seq, digest in stored_by(entries).items() if not from_seq <= seq < floor}
    first = data.draw(st.integers(1, acked + 1))
    last = data.draw(st.integers(first - 1, acked))
    run, _ = pushed(entries, first, last)
    head = JournalHead(last, digests_of(entries)[last])
    placement = place(run, head, acked, known, None, lost)
    is_inside = first <= floor and last >= from_seq and last >= first
    assert placement == Gap(acked + 1) if is_inside else isinstance(placement, Append)
    other = JournalHead(last, "0" * 64)
    empty = Pushed(acked + 1, digests_of(entries)[acked], [])
    is_known = not from_seq <= last < floor
    if last < acked:
        other_head_mismatch = place(empty, other, acked, known, None, lost)
        assert other_head_mismatch == HeadMismatch()
    elif is_known:
        assert place(empty, other, acked, known, None, lost) == Fork(seq=last)


def test_a_hole_that_is_not_before_the_run_is_a_mismatch():
    """[R4.5] Its floor is the position and the digest before the run."""
    entries = ["a", "b", "c"]
    run, head = pushed(entries, 3, 3)
    digests = digests_of(entries)
    for hole in (Hole(1, 1, digests[1]), Hole(1, 2, digests[1]), Hole(3, 2, digests[2])):
        assert place(run, head, 0, {0: GENESIS}, hole) == HoleMismatch()
    end, head = pushed(entries[:2], 3, 2)
    hole = Hole(1, 2, digests[2])
    assert place(end, JournalHead(2, "0" * 64), 0, {0: GENESIS}, hole) == HoleMismatch()
    assert place(end, head, 0, {0: GENESIS}, hole) == Append(0, [], hole)
