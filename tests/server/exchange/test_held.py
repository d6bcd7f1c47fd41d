"""Rule 7: an entry that refers to something the server has not seen waits for it, for ever."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.exchange.jobs import HELD_LIFE_MS, expire_held_entries
from tests.server.receipts.a_signing_tablet import Payment, SigningTablet
from tests.support.office_checks import count, outcome_of, problems_of, rows
from tests.support.raw_tablet import a_household, a_tablet, an_enrolment
from tests.support.small_office import COMMUNES, small_office


def a_chain(tablet):
    """Return four entries as (kind, body, id), each referring to the one before."""
    household, person, enrolment, payment = (tablet.ids.new_id() for _ in range(4))
    allocations = [{"enrolment": enrolment, "amount_vnd": 300_000}]
    return [
        ("household_registered", a_household(), household),
        ("person_registered", {"full_name": "Lê Thị Bưởi", "household": household}, person),
        ("enrolment_recorded", an_enrolment(person), enrolment),
        (
            "payment_collected",
            {"payment": payment, "scheme": "voluntary", "method": "cash", "allocations": allocations},
            payment,
        ),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[1::3])
def test_a_chain_is_applied_whatever_the_order_of_its_arrival(shared_office, order):
    """Applied the moment that arrives; chains of holds go through at once.

    [R7.1] Held, and judged again the moment that it comes into effect.
    """
    tablet = a_tablet(shared_office)
    chain = a_chain(tablet)
    for index in order:
        tablet.append(*chain[index])
        tablet.sync()
    states = [outcome_of(shared_office, entry_id) for _, _, entry_id in chain]
    assert states == [("applied", None)] * 4
    assert rows(shared_office, "SELECT paid_vnd FROM enrolment WHERE entry_id = :id", id=chain[2][2]) == [
        (300_000,)
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_tablets_release_each_others_entries_in_either_order(office, order):
    """Held entries released from another tablet."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    household = an.household()
    visit = binh.visit(household)
    for index in order:
        (an, binh)[index].sync()
    assert outcome_of(office, visit) == ("applied", None)
    assert count(office, "held_wait") == 0
    assert rows(office, "SELECT agent_id FROM visit") == [(office.agents["binh"],)]


def test_the_author_hears_of_the_release_by_pull(office):
    """[R2.2] What becomes of an entry later reaches the agent's devices as a record `outcome`.

    [R7.1] What the server has not seen in effect is held (`reference_not_seen`).
    """
    an, binh = a_tablet(office), a_tablet(office, "binh")
    household = an.household()
    visit = binh.visit(household)
    held = binh.sync(pull=True)
    assert held.decisions == ["held"]
    assert held.verdicts[0]["code"] == "reference_not_seen"
    assert held.verdicts[0]["field"] == "household"
    an.sync()
    shown = binh.sync(pull=True).json["rows"]
    outcomes = {row["id"]: row["record"]["state"] for row in shown if row["type"] == "outcome"}
    assert outcomes == {visit: "applied"}


def test_an_entry_waits_for_all_that_it_refers_to(office, tablet):
    visit, person, enrolment = (tablet.ids.new_id() for _ in range(3))
    household = tablet.household()
    tablet.append("enrolment_recorded", an_enrolment(person, visit=visit), enrolment)
    tablet.sync()
    tablet.append("person_registered", {"full_name": "Lê Thị Bưởi", "household": household}, person)
    tablet.sync()
    assert outcome_of(office, enrolment) == ("held", "reference_not_seen")
    body = {"household": household, "area": COMMUNES[1], "disposition": "agreed"}
    tablet.append("visit_recorded", body, visit)
    tablet.sync()
    assert outcome_of(office, enrolment) == ("applied", None)


def test_held_too_long_is_shown_as_quarantined_and_still_waits(office, tablet):
    """[R7.4] Held too long (30 days) it is shown as quarantined and still waits."""
    household = tablet.ids.new_id()
    visit = tablet.visit(household)
    tablet.sync()
    office.clock.advance(days=29)
    assert expire_held_entries(office.runtime) == 0
    office.clock.advance(days=1)
    assert expire_held_entries(office.runtime) == 1
    assert outcome_of(office, visit) == ("quarantined", "held_too_long")
    assert tablet.sync(first_seq=1).decisions == ["held"]
    tablet.append("household_registered", a_household(), household)
    tablet.sync()
    assert outcome_of(office, visit) == ("applied", None)


def test_the_receipt_of_a_payment_that_was_held_too_long_waits_for_a_person_with_it(office, tablet):
    """[T11] It follows the payment: pending, quarantined, and reconciled once the payment is settled."""
    enrolment = tablet.ids.new_id()
    payment = tablet.payment(enrolment)
    signer = SigningTablet(tablet.key, tablet.number, tablet.installation)
    about = Payment(payment, tablet.journal[-1], {"scheme": "voluntary"}, 300_000)
    tablet.append("receipt_issued", signer.receipt(about))
    tablet.sync()
    states = [rows(office, "SELECT state FROM receipt")]
    office.clock.advance(ms=HELD_LIFE_MS)
    assert expire_held_entries(office.runtime) == 1
    states.append(rows(office, "SELECT state FROM receipt"))
    tablet.append("enrolment_recorded", an_enrolment(tablet.person()), enrolment)
    tablet.sync()
    states.append(rows(office, "SELECT state FROM receipt"))
    assert states == [[("pending",)], [("quarantined",)], [("reconciled",)]]


def test_many_held_entries_expire_in_several_changes(office, tablet):
    for _ in range(120):
        tablet.visit(tablet.ids.new_id())
    tablet.sync()
    office.clock.advance(days=31)
    assert expire_held_entries(office.runtime) == 120


def test_a_released_entry_that_is_bad_after_all_is_quarantined(office, tablet):
    visit = tablet.ids.new_id()
    void = tablet.append("entry_voided", {"target": visit, "reason": "nhầm"})
    tablet.sync()
    other = a_tablet(office, "binh")
    household = other.household()
    body = {"household": household, "area": COMMUNES[1], "disposition": "agreed"}
    other.append("visit_recorded", body, visit)
    other.sync()
    assert outcome_of(office, void) == ("quarantined", "not_own_entry")
    assert count(office, "held_wait") == 0


def test_an_entry_of_the_wrong_kind_releases_nothing_but_a_quarantine(office, tablet):
    """[R7.2] A reference to a seen entry of another kind is quarantined."""
    household = tablet.ids.new_id()
    visit = tablet.visit(household)
    tablet.sync()
    tablet.append("person_registered", {"full_name": "Lê Thị Bưởi", "area": COMMUNES[1]}, household)
    tablet.sync()
    assert outcome_of(office, visit) == ("quarantined", "reference_wrong_kind")


def test_a_quarantined_referent_holds_what_refers_to_it(office, tablet):
    """[R7.3] A referent that is held or quarantined is waited for."""
    household = tablet.append("household_registered", a_household(colour="red"))
    visit = tablet.visit(household)
    assert tablet.sync().decisions == ["quarantined", "held"]
    assert outcome_of(office, visit) == ("held", "reference_not_seen")


def test_an_entry_that_refers_to_itself_waits_and_harms_nobody(office, tablet):
    entry_id = tablet.ids.new_id()
    tablet.append(
        "visit_recorded", {"household": entry_id, "area": COMMUNES[1], "disposition": "agreed"}, entry_id
    )
    tablet.household()
    assert tablet.sync().decisions[1] == "applied"
    assert outcome_of(office, entry_id)[0] in {"held", "quarantined"}


def test_500_held_entries_are_released_by_one(office, tablet):
    household = tablet.ids.new_id()
    for _ in range(500):
        tablet.visit(household)
    assert set(tablet.sync().decisions) == {"held"}
    tablet.append("household_registered", a_household(), household)
    tablet.sync()
    assert rows(office, "SELECT state, count(*) FROM outcome GROUP BY state") == [("applied", 501)]


def test_a_held_entry_keeps_the_flags_about_its_time(office, tablet):
    """Flags about the capture time hold whatever becomes of the entry.

    [R8.4] Flags about time stand beside any verdict.
    """
    tablet.clocks.wall_off_ms = 3 * 86_400_000
    tablet.visit(tablet.ids.new_id(), campaign=1)
    verdict = tablet.sync().verdicts[0]
    assert (verdict["verdict"], verdict["flags"]) == ("held", ["clock_ahead"])


def test_expiry_and_release_at_once_end_in_effect(postgres_url):
    """[R7.4] Shown as quarantined and still waits: whichever of the two comes first, on PostgreSQL."""
    with small_office(postgres_url) as office:
        an, binh = a_tablet(office), a_tablet(office, "binh")
        rounds = [(an.ids.new_id(), []) for _ in range(4)]
        for household, visits in rounds:
            visits += [binh.visit(household) for _ in range(60)]
        binh.sync()
        office.clock.advance(days=31)
        for household, visits in rounds:
            an.append("household_registered", a_household(), household)
            start = threading.Barrier(2)

            def expire(start=start):
                start.wait()
                return expire_held_entries(office.runtime)

            def release(start=start):
                start.wait()
                return an.sync()

            with ThreadPoolExecutor(2) as pool:
                expiring, released = pool.submit(expire), pool.submit(release)
                expiring.result(60)
                assert released.result(60).decisions == ["applied"]
            assert {outcome_of(office, visit) for visit in visits} == {("applied", None)}
        assert count(office, "held_wait") == 0
        assert problems_of(office) == []
        office.runtime.transactions.engine.dispose()
