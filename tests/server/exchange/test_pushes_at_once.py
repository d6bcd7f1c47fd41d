"""Two tablets' pushes that overlap in time come to what they come to one after the other."""

from __future__ import annotations

from server.quotas.actions import define_indicator
from server.quotas.rules import Indicator
from tests.support.office_checks import rows
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import COMMUNES


def test_a_household_moves_while_one_of_its_people_gets_another_name(office, tablet, overlapping):
    other = a_tablet(office, "binh")
    household = tablet.household()
    person = tablet.person(household)
    tablet.sync()
    change = {"person": person, "base": person, "set": {"full_name": "Lê Thị Mận"}}
    other.append("person_amended", change)
    moved = {"household": household, "base": household, "set": {"area": COMMUNES[2]}}
    tablet.append("household_amended", moved)
    assert overlapping(other, tablet) == (["applied"], ["applied"])
    assert rows(office, "SELECT full_name, area_key FROM person") == [("Lê Thị Mận", COMMUNES[2])]


def test_a_fact_is_paid_while_an_earlier_one_takes_its_place_under_a_cap(office, tablet, overlapping):
    """[R1.3] Whatever a judgement reads is locked before it is read."""
    indicator = Indicator("first_of_agent", "enrolment", cap=1, cap_per="holder")
    zone = office.runtime.config.time_zone
    office.change(lambda change: define_indicator(change, zone, indicator, "Đầu tiên", "First"))
    late = a_tablet(office, "an")
    late.enrolment(late.person(national_id="000190000001"))
    office.clock.advance(hours=1)
    enrolment = tablet.enrolment(tablet.person(national_id="000190000002"))
    tablet.sync()
    tablet.payment(enrolment)
    assert overlapping(late, tablet) == (["applied", "applied"], ["applied"])
    counted = rows(office, "SELECT counted, over_limit FROM figure WHERE indicator = 'first_of_agent'")
    assert counted == [(1, 1)]


def test_a_payment_arrives_while_its_person_becomes_another_identity(office, tablet, overlapping):
    """[R1.3] Whatever a judgement reads is locked before it is read.

    [L1] Names are locked before the rows that they stand for are read.
    """
    other = a_tablet(office, "binh")
    person = tablet.person()
    enrolment = tablet.enrolment(person)
    twin = tablet.person(national_id="000190000001")
    tablet.enrolment(twin)
    tablet.sync()
    other.append("person_amended", {"person": person, "base": person, "set": {"national_id": "000190000001"}})
    tablet.payment(enrolment)
    assert overlapping(other, tablet) == (["applied"], ["applied"])
    states = rows(office, "SELECT state FROM credit WHERE indicator = 'voluntary_enrolled' ORDER BY state")
    assert states == [("counted",), ("duplicate",)]
