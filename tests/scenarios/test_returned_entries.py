"""Sent back from the desk, seen on the tablet, answered by a new entry: the real client and server."""

from __future__ import annotations

import pytest

from field_client.outbox import CaptureRefusedError
from tests.support.desk import a_supervisor, decide
from tests.support.office_checks import outcome_of, problems_of
from tests.support.small_office import COMMUNES, small_office


@pytest.fixture
def office(sqlite_url):
    with small_office(sqlite_url) as office:
        yield office
        assert problems_of(office) == []
        office.runtime.transactions.engine.dispose()


def a_returned_household(office, tablet):
    """Return a household that the office quarantined and sent back."""
    with tablet.recording() as actions:
        household = actions.register_household(area="99999@2004-01-01", head_name="Lê Tám", address="ấp 1")
    assert not tablet.sync().is_clean
    author = a_supervisor(office)
    decide(office, author, "entry_returned", target=household, reason="Sai mã địa bàn")
    tablet.sync()
    return household


def test_a_tablet_lists_what_was_sent_back_until_it_has_answered(office):
    """[D7] [A3] Listed with its reason; once answered it blocks «Đã đồng bộ» no longer."""
    tablet = office.tablet("an")
    household = a_returned_household(office, tablet)
    [returned] = tablet.projection.returned()
    assert (returned.name, returned.reason) == (household, "Sai mã địa bàn")
    assert returned.returned_ms == office.clock.now_ms()
    with tablet.recording() as actions:
        fresh = actions.register_household(area=COMMUNES[1], head_name="Lê Tám", address="ấp 1")
        actions.answer_return(household, replacement=fresh, note="Đã ghi đúng phường")
    assert tablet.projection.returned() == []
    assert tablet.sync().is_clean
    assert outcome_of(office, household) == ("answered", None)
    assert tablet.status().needs_person == []


def test_what_was_not_sent_back_or_is_not_there_is_not_answered(office):
    tablet = office.tablet("an")
    household = a_returned_household(office, tablet)
    with pytest.raises(CaptureRefusedError):
        tablet.actions.answer_return("018f0000-0000-7000-8000-000000000000")
    with pytest.raises(CaptureRefusedError):
        tablet.actions.answer_return(household, replacement="018f0000-0000-7000-8000-000000000000")


def test_an_entry_without_an_id_is_sent_back_under_the_name_that_the_office_gave_it(office):
    """[E5] The stand-in is computed from the bytes, so the tablet finds them."""
    tablet = office.tablet("an")
    tablet.outbox.append_text('{"nothing": "readable"')
    tablet.sync()
    author = a_supervisor(office)
    [line] = office.change(_outcome_names)
    decide(office, author, "entry_returned", target=line, reason="Không đọc được")
    tablet.sync()
    [returned] = tablet.projection.returned()
    assert returned.name == line
    tablet.actions.answer_return(line)
    assert tablet.sync().is_clean


def test_a_correction_at_the_desk_settles_the_tablet_too(office):
    tablet = office.tablet("an")
    household = a_returned_household(office, tablet)
    body = {"area": COMMUNES[1], "head_name": "Lê Tám", "address": "ấp 1"}
    decide(office, a_supervisor(office), "entry_corrected", target=household, body=body)
    assert tablet.sync().is_clean
    assert tablet.projection.returned() == []
    assert tablet.projection.household(household).fields["area"] == COMMUNES[1]


def _outcome_names(change):
    change.audit("looked", "test")
    rows = change.connection.exec_driver_sql("SELECT entry_id FROM outcome WHERE state = 'quarantined'")
    return [row[0] for row in rows]
