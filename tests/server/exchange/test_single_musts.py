"""What the protocol promises and no other test shows: one small test for each MUST."""

from __future__ import annotations

import json
import uuid

import pytest

from schemas.signatures import PrivateKey
from server.exchange import pulling
from sync.limits import LIMITS
from tests.support.office_checks import count, outcome_of, rows, state_of
from tests.support.raw_tablet import RawTablet, a_tablet
from tests.support.small_office import COMMUNES

SECRET = "bí-mật-0912345678"


# --- the transport ---


def test_an_answer_is_compressed_only_for_who_says_so(tablet):
    """[W4] A response is compressed only where `Accept-Encoding` says gzip."""
    pull = {"have": [], "limit": LIMITS.pull_rows}
    plain = tablet.post(tablet.request(pull=pull))
    zipped = tablet.post(tablet.request(pull=pull), Accept_Encoding="gzip")
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert len(plain.json["rows"]) == len(zipped.json["rows"]) > 0


@pytest.mark.parametrize(
    "members",
    [
        {"installation": SECRET},
        {"journal_head": {"seq": SECRET, "digest": SECRET}},
        {"clock": {"wall_ms": 1, "boot": SECRET, "monotonic_ms": SECRET}},
        {"push": {"first_seq": 1, "previous_digest": SECRET, "entries": []}},
        {"pull": {"have": [{"scope": SECRET}], "limit": SECRET}},
        {SECRET: SECRET},
    ],
    ids=lambda members: next(iter(members)).partition("-")[0],
)
def test_a_problem_does_not_repeat_what_came_in(tablet, members):
    """[X2] A problem does not repeat a value that came in."""
    answer = tablet.post(tablet.request() | members)
    assert (answer.status, answer.code) == (422, "body_invalid")
    shown = json.dumps(answer.json, ensure_ascii=False)
    assert SECRET not in shown
    assert "mật" not in shown


def test_every_answer_to_a_device_tells_the_limits(office, tablet):
    """[R9.1] Limits are advertised with every answer to a device."""
    fresh = RawTablet(office)
    told = [fresh.enrol(), tablet.sync(), tablet.sync(pull=True)]
    assert [answer.json["limits"] for answer in told] == [LIMITS.as_wire()] * 3


def test_no_cookie_is_given_to_a_device(tablet):
    """[G2] There is no session, token or cookie for devices: each request is signed anew."""
    assert "Set-Cookie" not in tablet.sync(pull=True).headers
    assert tablet.post(tablet.request(), signature=None).code == "signature_missing"


# --- enrolment ---


def test_an_enrolment_is_signed_with_the_key_that_it_registers(office):
    """[N1] The request is signed with the key that it registers."""
    tablet, code = RawTablet(office), office.enrolment_code("an")
    honest = tablet.key
    tablet.key = PrivateKey.generate()
    tablet.key.public = honest.public
    assert tablet.enrol(code).code == "signature_invalid"
    assert count(office, "installation") == 0
    tablet.key = honest
    assert tablet.enrol(code).status == 200


def test_a_lost_answer_costs_nothing_after_the_code_has_expired(office):
    """[N2] The same request again gets the same number and certificate, also after the code expired."""
    tablet, code = RawTablet(office), office.enrolment_code("an")
    first = tablet.enrol(code)
    office.clock.advance(days=3)
    again = tablet.enrol(code)
    assert again.status == 200
    assert again.json["number"] == first.json["number"]
    assert again.json["certificate"] == first.json["certificate"]


def test_an_unknown_predecessor_is_refused_and_a_known_one_is_superseded(office, tablet):
    """[N5] A predecessor is known, else `predecessor_mismatch`, and becomes superseded."""
    fresh = RawTablet(office, predecessor=str(uuid.uuid4()))
    assert fresh.enrol().code == "predecessor_mismatch"
    tablet.enrolled_again()
    assert state_of(office, tablet.installation) == "superseded"


def test_an_acknowledgement_of_another_installation_says_nothing(office, tablet):
    """[Q3] A `last_ack` that names another installation says nothing."""
    other = a_tablet(office)
    other.household()
    other.sync()
    assert tablet.sync(last_ack=other.last_ack).status == 200
    assert count(office, "incident") == 0


# --- entries ---


def test_a_records_id_is_the_id_of_its_entry(tablet):
    """[E2] A record's id is the id, a UUIDv7, of the entry that registered it."""
    household = tablet.household()
    shown = tablet.sync(pull=True).json["rows"]
    assert [row["id"] for row in shown if row["type"] == "household"] == [household]
    assert uuid.UUID(household).version == 7


def test_a_voided_referent_counts_as_seen(office, tablet):
    """[R7.3] A referent counts as seen when it was applied and is voided now."""
    person, visit = tablet.person(), tablet.visit(tablet.household())
    tablet.append("entry_voided", {"target": visit, "reason": "nhầm"})
    tablet.sync()
    assert outcome_of(office, visit) == ("voided", None)
    tablet.enrolment(person, visit=visit)
    assert tablet.sync().decisions == ["applied"]


def test_a_contest_is_won_by_the_earlier_upper_end(office, tablet):
    """[R8.2] Contests use the upper end of the corrected time, whatever was claimed."""
    exact = a_tablet(office, "binh")
    vague = tablet
    vague.enrolment(vague.person(national_id="000190000001"))
    vague.reboot()
    office.clock.advance(hours=1)
    exact.enrolment(exact.person(national_id="000190000001"))
    exact.sync()
    office.clock.advance(hours=1)
    vague.sync()
    states = rows(office, "SELECT agent_id, state FROM credit WHERE indicator = 'voluntary_enrolled'")
    agents = office.agents
    assert dict(states) == {agents["binh"]: "counted", agents["an"]: "duplicate"}


def test_an_enrolment_is_named_once_in_a_payment(tablet):
    """[K1] A payment's enrolments are named once (`allocation_mismatch`)."""
    enrolment = tablet.enrolment(tablet.person())
    tablet.payment(enrolment, enrolment)
    assert tablet.sync().verdicts[2]["code"] == "allocation_mismatch"


@pytest.mark.parametrize("number", [{"national_id": "000190000001"}, {"insurance_number": "0001900001"}])
def test_a_shared_number_is_flagged_and_nothing_is_merged(office, tablet, number):
    """[K4] Who shares a number with another is applied and flagged; nothing is merged."""
    tablet.person(**number)
    tablet.person(full_name="Lê Thị Khác", **number)
    answer = tablet.sync()
    assert answer.decisions == ["applied", "applied"]
    assert [verdict["flags"] for verdict in answer.verdicts] == [[], ["possible_duplicate"]]
    assert count(office, "person") == 2


def test_a_person_is_not_born_after_the_business_day(tablet):
    """[K3] Birth dates after the business day are quarantined (`birth_date_in_future`)."""
    tablet.person(birth_date="2020-05-12")
    tablet.person(birth_date="2020-05-13")
    answer = tablet.sync()
    assert answer.decisions == ["applied", "quarantined"]
    assert answer.verdicts[1]["code"] == "birth_date_in_future"


def test_a_receipt_of_a_quarantined_payment_is_quarantined(office):
    """[T11] A receipt whose payment is quarantined is kept as `quarantined`."""
    client = office.tablet("an")
    household = client.actions.register_household(area=COMMUNES[0], head_name="Lê Văn Tám", address="1")
    client.actions.collect_payment([(household, 1_000)], scheme="health")
    client.sync()
    assert rows(office, "SELECT state FROM receipt") == [("quarantined",)]


# --- pull ---


def test_grants_and_rows_are_of_one_snapshot(office, tablet, monkeypatch):
    """[P1] Grants and rows of one answer are of one snapshot, and `grants` is the whole list."""
    other, real = a_tablet(office, "binh"), pulling.feed_rows
    other.household()

    def read_late(*arguments):
        if not other.acked:
            other.sync()
        return real(*arguments)

    monkeypatch.setattr(pulling, "feed_rows", read_late)
    answer = tablet.sync(pull=True)
    assert other.acked == 1, "another push was committed between the heads and the rows"
    heads = {grant["scope"]: grant["head"] for grant in answer.json["grants"]}
    assert heads.keys() >= {"office", *(f"area:{area}" for area in COMMUNES)}
    assert all(row["seq"] <= heads[row["scope"]] for row in answer.json["rows"])
    assert "household" not in {row["type"] for row in answer.json["rows"]}


def test_what_left_a_scope_comes_without_its_record(office, tablet):
    """[F3] A scope that a record left gets a row with `op` `remove` and `record` null."""
    household = tablet.household()
    tablet.sync()
    moved = {"household": household, "base": household, "set": {"area": COMMUNES[0]}}
    tablet.append("household_amended", moved)
    tablet.sync()
    shown = a_tablet(office, "binh").sync(pull=True).json["rows"]
    left = [(row["op"], row["record"]) for row in shown if row["id"] == household]
    assert left == [("remove", None)]
