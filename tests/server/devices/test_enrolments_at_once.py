"""Enrolments that overlap in time: numbers are never given twice, and no answer is a fault of ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from server.audit.changes import Change
from server.devices.actions import revoke_installation
from tests.support.office_checks import rows, state_of
from tests.support.raw_tablet import RawTablet, a_tablet
from tests.support.small_office import SmallOffice, small_office


@pytest.fixture
def office(any_database: str) -> Iterator[SmallOffice]:
    """A small office on each kind of database."""
    with small_office(any_database) as office:
        yield office
        office.runtime.transactions.engine.dispose()


@pytest.fixture
def overlapping(monkeypatch):
    """Return a function that runs one thing while what another one has written is not committed."""

    def overlap(first, second):
        is_written, may_commit = threading.Event(), threading.Event()
        finish = Change.finish

        def finish_slowly(change):
            finish(change)
            if threading.current_thread() is threads[0]:
                is_written.set()
                may_commit.wait(10)

        answers = {}
        threads = [
            threading.Thread(target=lambda: answers.update(first=first())),
            threading.Thread(target=lambda: answers.update(second=second())),
        ]
        monkeypatch.setattr(Change, "finish", finish_slowly)
        threads[0].start()
        assert is_written.wait(10)
        threads[1].start()
        threads[1].join(0.5)
        may_commit.set()
        for thread in threads:
            thread.join(20)
        monkeypatch.undo()
        return answers["first"], answers["second"]

    return overlap


def test_two_tablets_get_two_numbers(office, overlapping):
    tablets = RawTablet(office, "an"), RawTablet(office, "binh")
    codes = [office.enrolment_code(tablet.agent) for tablet in tablets]
    answers = overlapping(*(lambda t=t, c=c: t.enrol(c) for t, c in zip(tablets, codes, strict=True)))
    assert [answer.status for answer in answers] == [200, 200]
    assert sorted(tablet.number for tablet in tablets) == [1, 2]


def test_one_tablet_with_two_codes_enrols_once(office, overlapping):
    tablet, codes = RawTablet(office), [office.enrolment_code("an") for _ in range(2)]
    answers = overlapping(lambda: tablet.enrol(codes[0]), lambda: tablet.enrol(codes[1]))
    assert [answer.status for answer in answers] == [200, 403]
    assert len(rows(office, "SELECT id FROM installation")) == 1


def test_one_code_sent_twice_at_once_gets_one_answer(office, overlapping):
    tablet, code = RawTablet(office), office.enrolment_code("an")
    first, second = overlapping(lambda: tablet.enrol(code), lambda: tablet.enrol(code))
    assert (first.status, second.status) == (200, 200)
    assert first.json["certificate"] == second.json["certificate"]


def test_a_revocation_is_not_lost_in_an_enrolment_that_names_the_predecessor(office, overlapping):
    lost = a_tablet(office)
    successor = RawTablet(office, "an", lost.installation)
    code = office.enrolment_code("an")
    overlapping(
        lambda: office.change(lambda change: revoke_installation(change, lost.installation)),
        lambda: successor.enrol(code),
    )
    assert state_of(office, lost.installation) == "revoked"


def test_a_revocation_names_the_last_entry_that_was_acknowledged_before_it(office, overlapping):
    tablet = a_tablet(office)
    tablet.household()
    overlapping(
        tablet.sync, lambda: office.change(lambda change: revoke_installation(change, tablet.installation))
    )
    assert rows(office, "SELECT state, last_valid_seq FROM installation") == [("revoked", 1)]
