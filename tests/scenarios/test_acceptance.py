"""Accepted figures and silent tablets, over real clients and the real server."""

from __future__ import annotations

from datetime import date
from itertools import count

import pytest

from field_client.client import FieldClient
from server.audit.changes import Actor, run_change
from server.devices.write_offs import WriteOffRefusedError, confirm_write_off, propose_write_off
from server.quotas.acceptance import AcceptanceRefusedError, accept_period, post_adjustments
from server.quotas.completeness import completeness_at
from server.quotas.statements import adjustments_of, lines_of, unposted
from tests.support.office_checks import rows
from tests.support.raw_tablet import RawTablet, a_tablet
from tests.support.small_office import COMMUNES, LAUNCH_DAY, SmallOffice

DAY = date(2020, 5, 12)
PERSON = "000190000001"
ONE, OTHER = Actor("account:one", "worker-one"), Actor("account:other", "worker-other")
_numbers = count(2)


def enrol_somebody(client: FieldClient, national_id: str | None = None) -> None:
    """Capture a household, a person and a voluntary enrolment on the launch day."""
    household = client.actions.register_household(area=COMMUNES[1], head_name="Lê Văn Tám", address="1")
    person = client.actions.register_person(
        full_name="Lê Thị Bưởi", household=household, national_id=national_id or f"{next(_numbers):012}"
    )
    client.actions.record_enrolment(
        person=person,
        scheme="voluntary",
        status="new",
        from_month="2020-06",
        months=3,
        amount_due_vnd=300_000,
        campaign=LAUNCH_DAY,
    )


def by_account(office: SmallOffice, actor: Actor, work):
    return run_change(office.runtime.transactions, actor, office.clock.now_ms(), work)


def accept(office: SmallOffice, reason: str = ""):
    zone = office.runtime.config.time_zone
    return by_account(
        office, ONE, lambda change: accept_period(change, zone, LAUNCH_DAY, DAY, override_reason=reason)
    )


def standing(office: SmallOffice):
    zone = office.runtime.config.time_zone
    with office.runtime.transactions.reading() as connection:
        return completeness_at(connection, DAY, office.clock.now_ms(), zone)


def reasons(office: SmallOffice) -> dict[str, str]:
    """Why each agent's tablet is outstanding."""
    names = {worker: name for name, worker in office.agents.items()}
    return {names[each.worker_id]: each.reason for each in standing(office).outstanding}


def paid(office: SmallOffice, number: int) -> dict[str, int]:
    """What each agent has been accepted and adjusted for, voluntary enrolments."""
    names, sums = {worker: name for name, worker in office.agents.items()}, {}
    with office.runtime.transactions.reading() as connection:
        for line in lines_of(connection, number):
            if line.key[:2] == ("voluntary_enrolled", "agent"):
                sums[names[line.holder]] = line.counted
        for each in adjustments_of(connection, number):
            if each.key[:2] == ("voluntary_enrolled", "agent"):
                sums[names[each.holder]] = sums.get(names[each.holder], 0) + each.amount
    return sums


def counted(office: SmallOffice) -> dict[str, int]:
    """What the board and the tablets say now."""
    names = {worker: name for name, worker in office.agents.items()}
    found = rows(
        office,
        "SELECT holder, counted FROM figure WHERE campaign = :campaign AND indicator = 'voluntary_enrolled'",
        campaign=LAUNCH_DAY,
    )
    return {names[holder]: number for holder, number in found}


def test_accept_then_an_earlier_rival_arrives(office):
    """Adjustments make what is paid the recomputation again, for winner and loser alike."""
    an, binh = office.tablet("an"), office.tablet("binh")
    assert an.sync().is_clean
    assert binh.sync().is_clean
    enrol_somebody(binh, PERSON)
    office.clock.advance(hours=1)
    enrol_somebody(an, PERSON)
    enrol_somebody(an)
    office.clock.advance(days=1)
    an.sync()
    assert counted(office) == {"an": 2, "binh": 0}
    statement = accept(office, "Máy của anh Bình chưa về, phải trả lương")
    assert (statement.is_complete, statement.outstanding) == (False, 1)
    assert paid(office, statement.number) == {"an": 2, "binh": 0}
    binh.sync()
    assert counted(office) == {"an": 1, "binh": 1}
    with office.runtime.transactions.reading() as connection:
        assert len(unposted(connection)) == 2
    by_account(office, ONE, lambda change: post_adjustments(change, LAUNCH_DAY))
    assert paid(office, statement.number) == {"an": 1, "binh": 1} == counted(office)
    with office.runtime.transactions.reading() as connection:
        assert unposted(connection) == {}
        assert {each.dated_day for each in adjustments_of(connection, statement.number)} == {
            date(2020, 5, 13)
        }


def test_a_silent_tablet_then_accept(office):
    """Nothing is called final before every tablet has signed a head after the end, and delivered it."""
    an, binh = office.tablet("an"), office.tablet("binh")
    an.sync()
    binh.sync()
    enrol_somebody(an)
    enrol_somebody(binh)
    office.clock.advance(hours=15, seconds=30 * 60)
    an.sync()
    assert reasons(office) == {"an": "unproven", "binh": "silent"}, "half an hour after midnight"
    office.clock.advance(hours=8)
    an.sync()
    assert reasons(office) == {"binh": "silent"}
    with pytest.raises(AcceptanceRefusedError, match="not_complete"):
        accept(office)
    binh.sync()
    assert standing(office).is_final
    assert accept(office).is_complete
    assert paid(office, 1) == counted(office) == {"an": 1, "binh": 1}


def test_a_request_that_lay_about_does_not_make_a_period_final(office):
    """Signed before the end, it says nothing of what was captured between then and the end."""
    tablet = a_tablet(office)
    tablet.sync()
    late = tablet.request()
    tablet.household()
    office.clock.advance(days=2)
    answer = tablet.post(late)
    assert answer.status == 200
    assert reasons(office) == {"an": "unproven"}
    tablet.sync()
    assert standing(office).is_final


def test_what_is_held_or_quarantined_keeps_a_period_provisional(office):
    client = office.tablet("an")
    client.outbox.append_raw("household_registered", {"area": "99999@2004-01-01"})
    office.clock.advance(days=2)
    client.sync()
    known = standing(office)
    assert (len(known.outstanding), known.unsettled_count, known.is_final) == (0, 1, False)


def test_a_replaced_tablet_is_waited_for_in_its_successor(office):
    """It was enrolled after the period's end, and carries what its predecessor captured before it."""
    client = office.tablet("an")
    client.sync()
    enrol_somebody(client)
    office.clock.advance(days=2)
    client.enrol_again(office.enrolment_code("an"))
    assert reasons(office) == {"an": "never_heard"}
    client.sync()
    assert standing(office).is_final
    assert counted(office) == {"an": 1, "binh": 0}


def test_what_a_replaced_tablet_signed_for_and_its_successor_never_brought_is_missed(office):
    old = a_tablet(office)
    old.household()
    old.sync()
    old.household()
    old.sync(journal_head=old.head, push=None)
    fresh = RawTablet(office, predecessor=old.installation, journal=old.journal[:1])
    assert fresh.enrol().status == 200
    office.clock.advance(days=2)
    fresh.sync()
    assert [each.reason for each in standing(office).outstanding] == ["not_carried_over"]
    fresh.journal.append(old.journal[1])
    fresh.sync()
    assert standing(office).is_final


def test_a_lost_tablet_is_given_up_by_two_people_and_may_come_back(office):
    an, binh = office.tablet("an"), office.tablet("binh")
    enrol_somebody(binh)
    office.clock.advance(days=2)
    an.sync()
    lost = binh.identities.current().installation
    ids = office.runtime.ids
    by_account(office, ONE, lambda change: propose_write_off(change, ids, lost, "Rơi xuống sông Tiền"))
    with pytest.raises(WriteOffRefusedError, match="same_person"):
        by_account(office, ONE, lambda change: confirm_write_off(change, lost))
    own = Actor("account:binh", office.agents["binh"])
    with pytest.raises(WriteOffRefusedError, match="own_tablet"):
        by_account(office, own, lambda change: confirm_write_off(change, lost))
    assert reasons(office) == {"binh": "never_heard"}
    by_account(office, OTHER, lambda change: confirm_write_off(change, lost))
    assert standing(office).is_final
    assert [kind for (kind,) in rows(office, "SELECT kind FROM desk_record WHERE kind LIKE '%written%'")]
    statement = accept(office)
    assert paid(office, statement.number) == {"an": 0, "binh": 0}
    office.clock.advance(hours=1)
    binh.sync()
    by_account(office, ONE, lambda change: post_adjustments(change, LAUNCH_DAY))
    assert paid(office, statement.number) == {"an": 0, "binh": 1}
