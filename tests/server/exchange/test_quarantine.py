"""Rule 5: a bad entry never blocks the good ones; it is quarantined with a code and a field."""

from __future__ import annotations

import json

import pytest

from server.exchange import registry
from server.journals.views import entry_text
from server.outreach.workspace import OutreachWorkspace
from server.people.workspace import PeopleWorkspace
from sync.limits import LIMITS
from tests.support.office_checks import count, outcome_of, rows
from tests.support.raw_tablet import a_household, a_payment, a_tablet, an_enrolment, send
from tests.support.small_office import COMMUNES

NOBODY = "018f0000-0000-7000-8000-000000000000"


def _with(**changes):
    return lambda tablet: tablet.append("household_registered", a_household() | changes)


def _without(name):
    def work(tablet):
        body = a_household()
        del body[name]
        tablet.append("household_registered", body)

    return work


def _enveloped(**members):
    return lambda tablet: tablet.append("household_registered", a_household(), **members)


def _replaced(old, new):
    def work(tablet):
        tablet.journal.append(tablet.entry("household_registered", a_household())[1].replace(old, new))

    return work


def _raw(text):
    return lambda tablet: tablet.journal.append(text)


def _person(**changes):
    body = {"full_name": "Lê Thị Bưởi", "area": COMMUNES[1]}
    return lambda tablet: tablet.append("person_registered", body | changes)


def _visit(**changes):
    return lambda tablet: tablet.visit(tablet.household(), **changes)


def _enrolment(**changes):
    return lambda tablet: tablet.enrolment(tablet.person(), **changes)


def _deep(levels):
    return _replaced('"Lê Văn Tám"', "[" * levels + "]" * levels)


BAD = {
    "unknown kind": (lambda tablet: tablet.append("tea_drunk", {}), "kind_unknown", "kind"),
    "kind with a NUL": (lambda tablet: tablet.append("visit\0", {}), "kind_unknown", "kind"),
    "kind with a lone surrogate": (
        _replaced("household_registered", "\\ud800"),
        "kind_unknown",
        "kind",
    ),
    "kind too long": (lambda tablet: tablet.append("x" * 5000, {}), "kind_unknown", "kind"),
    "kind no text": (_enveloped(kind=7), "field_wrong_type", "kind"),
    "wrong type": (_with(head_name=7), "field_wrong_type", "head_name"),
    "null where needed": (_with(head_name=None), "field_wrong_type", "head_name"),
    "a list for text": (_with(address=["x"]), "field_wrong_type", "address"),
    "a fraction for a number": (_with(members=1.5), "field_wrong_type", "members"),
    "true for a number": (_with(members=True), "field_wrong_type", "members"),
    "number out of range": (_with(members=1000), "field_invalid", "members"),
    "missing field": (_without("head_name"), "field_missing", "head_name"),
    "unknown field": (_with(colour="red"), "field_unknown", "colour"),
    "unknown field with a long name": (_with(**{"k" * 5000: 1}), "field_unknown", "k" * 200),
    "unknown member of the envelope": (_enveloped(more=1), "field_unknown", None),
    "no body": (_enveloped(body=None), "field_wrong_type", "body"),
    "no clocks": (_enveloped(captured=None), "field_invalid", "captured"),
    "a fraction of a clock": (
        _enveloped(captured={"wall_ms": 1.5, "boot": "b", "monotonic_ms": 0}),
        "field_invalid",
        "captured",
    ),
    "id no UUIDv7": (_enveloped(id="123e4567-e89b-12d3-a456-426614174000"), "entry_id_malformed", "id"),
    "id no text": (_enveloped(id=5), "entry_id_malformed", "id"),
    "NUL in text": (_with(head_name="a\0b"), "text_has_nul", "body.head_name"),
    "NUL in a name": (_with(**{"a\0b": 1}), "text_has_nul", "body"),
    "lone surrogate in text": (_replaced("Lê Văn Tám", "\\udc00"), "field_invalid", "body.head_name"),
    "lone surrogate in a name": (_replaced("head_name", "\\udc00"), "field_invalid", "body"),
    "text past the limit": (_with(address="x" * 501), "text_too_long", "body.address"),
    "text past the field's limit": (_with(address="x" * 301), "text_too_long", "address"),
    "blank text": (_with(head_name="  "), "field_invalid", "head_name"),
    "text not in NFC": (_with(head_name="Le\u0302 Va\u0306n"), "field_invalid", "head_name"),
    "bad phone": (_with(phone="call me"), "field_invalid", "phone"),
    "unknown area": (_with(area="99999@2004-01-01"), "area_unknown", "area"),
    "area no key": (_with(area="99999"), "field_invalid", "area"),
    "too deep": (_deep(20), "entry_too_deep", None),
    "too large": (_with(note="x" * LIMITS.entry_bytes), "entry_too_large", None),
    "no JSON": (_raw("{"), "entry_unreadable", None),
    "empty": (_raw(""), "entry_unreadable", None),
    "a list": (_raw("[]"), "entry_unreadable", None),
    "bottomless": (_raw("[" * 100_000), "entry_too_large", None),
    "a raw NUL": (_raw("\0"), "entry_unreadable", None),
    "repeated member": (_replaced('"address"', '"head_name"'), "entry_unreadable", None),
    "not a number": (_replaced('"Lê Văn Tám"', "NaN"), "entry_unreadable", None),
    "a number of 5,000 digits": (_replaced('"Lê Văn Tám"', "9" * 5000), "entry_unreadable", None),
    "an infinite number": (_replaced('"Lê Văn Tám"', "1e999"), "field_wrong_type", "head_name"),
    "born tomorrow": (_person(birth_date="2020-05-13"), "birth_date_in_future", "birth_date"),
    "no day": (_person(birth_date="2020-02-30"), "field_invalid", "birth_date"),
    "a week date": (_person(birth_date="2020-W10-1"), "field_invalid", "birth_date"),
    "nowhere": (_person(area=None), "field_missing", "area"),
    "bad national id": (_person(national_id="12"), "field_invalid", "national_id"),
    "unknown campaign": (_visit(campaign=77), "campaign_unknown", "campaign"),
    "unknown disposition": (_visit(disposition="shouted"), "field_invalid", "disposition"),
    "unknown officer": (
        _visit(promoter={"kind": "officer", "id": NOBODY}),
        "promoter_unknown",
        "promoter.id",
    ),
    "negative money": (_enrolment(amount_due_vnd=-1), "amount_invalid", "amount_due_vnd"),
    "fractional money": (_enrolment(amount_due_vnd=0.5), "amount_invalid", "amount_due_vnd"),
    "money as text": (_enrolment(amount_due_vnd="300000"), "amount_invalid", "amount_due_vnd"),
    "too much money": (_enrolment(amount_due_vnd=10**10), "amount_invalid", "amount_due_vnd"),
    "money past every number": (_enrolment(amount_due_vnd=10**30), "amount_invalid", "amount_due_vnd"),
    "an amendment of nothing": (
        lambda tablet: tablet.append(
            "person_amended", {"person": (person := tablet.person()), "base": person, "set": {}}
        ),
        "field_invalid",
        "set",
    ),
    "a person who is a household": (
        lambda tablet: tablet.enrolment(tablet.household()),
        "reference_wrong_kind",
        "person",
    ),
    "a base of another record": (
        lambda tablet: tablet.append(
            "person_amended", {"person": tablet.person(), "base": tablet.person(), "set": {"sex": "male"}}
        ),
        "reference_wrong_kind",
        "base",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_entry_is_quarantined_with_its_code_and_the_others_go_through(shared_office, name):
    """[R5.1] Whatever is wrong inside one entry quarantines it alone, with a code and a field.

    [R7.2] [E2] [M2] [K3] Office data, the id, a base and a birth date are looked at, too.
    """
    tablet = a_tablet(shared_office)
    capture, code, field = BAD[name]
    before = tablet.household()
    capture(tablet)
    bad_at = len(tablet.journal) - 1
    tablet.visit(before)
    answer = tablet.sync(pull=True)
    verdict = answer.verdicts[bad_at]
    assert (verdict["verdict"], verdict["code"], verdict["field"]) == ("quarantined", code, field)
    decisions = answer.decisions
    del decisions[bad_at]
    assert set(decisions) == {"applied"}
    stored = rows(
        shared_office,
        "SELECT verdict, code FROM entry WHERE installation_id = :id AND seq = :seq",
        id=tablet.installation,
        seq=bad_at + 1,
    )
    assert stored == [("quarantined", code)]
    assert tablet.sync(first_seq=1).verdicts == answer.verdicts


def test_a_void_of_another_agents_entry_or_twice_is_quarantined(office, tablet):
    """[K2] Only entries of the same worker can be voided, once."""
    visit = tablet.visit(tablet.household())
    tablet.append("entry_voided", {"target": visit, "reason": "nhầm"})
    tablet.append("entry_voided", {"target": visit, "reason": "nhầm"})
    assert tablet.sync().verdicts[3]["code"] == "already_voided"
    other = a_tablet(office, "binh")
    other.append("entry_voided", {"target": visit, "reason": "ghét"})
    assert other.sync().verdicts[0]["code"] == "not_own_entry"


def test_the_bytes_of_a_quarantined_entry_are_kept_as_they_came(office, tablet):
    """[R5.4] A quarantined entry's bytes are kept.

    [E1] An entry's bytes never change; no end parses and rewrites them.
    """
    tablet.journal.append('{"không": "phải"  ')
    tablet.sync()
    with office.runtime.transactions.reading() as connection:
        kept = entry_text(connection, office.runtime.sealer, tablet.installation, 1)
    assert kept == tablet.journal[0]


def test_a_handler_that_raises_quarantines_its_entry_alone(office, tablet, monkeypatch):
    """[R5.2] An exception while judging one entry quarantines that entry (`judgement_failed`)."""

    def fail(_batch, _arrival):
        raise ZeroDivisionError

    good = registry.HANDLERS["visit_recorded"]
    monkeypatch.setitem(registry.HANDLERS, "visit_recorded", registry.KindHandler(good.want, fail))
    household = tablet.household()
    bad = [tablet.visit(household), tablet.visit(household)]
    enrolment = tablet.enrolment(tablet.person(household))
    payment = tablet.payment(enrolment)
    answer = tablet.sync()
    assert answer.decisions == ["applied", "quarantined", "quarantined", "applied", "applied", "applied"]
    assert answer.verdicts[1]["code"] == "judgement_failed"
    monkeypatch.undo()
    assert tablet.sync(first_seq=1).verdicts == answer.verdicts
    assert outcome_of(office, bad[0]) == ("quarantined", "judgement_failed")
    assert outcome_of(office, payment) == ("applied", None)


def test_an_effect_that_cannot_be_written_quarantines_its_entry_alone(office, tablet, monkeypatch):
    """[R5.2] Where a bulk write fails, the culprit is found with halves of the push set aside."""
    record = OutreachWorkspace.record_visit

    def record_twice(self, arrival):
        record(self, arrival)
        if arrival.body["note"] == "độc":
            record(self, arrival)

    monkeypatch.setattr(OutreachWorkspace, "record_visit", record_twice)
    household = tablet.household()
    for note in (None, "độc", None, None, "độc", None):
        tablet.visit(household, note=note)
    decisions = tablet.sync().decisions
    assert decisions == ["applied", "applied", "quarantined", "applied", "applied", "quarantined", "applied"]
    assert count(office, "visit") == 4


def test_what_no_quarantine_can_save_is_refused_and_stores_nothing(office, tablet, monkeypatch):
    """[R1.1] Judged and stored in one transaction: all of it or nothing."""

    def fail(_self):
        raise ZeroDivisionError

    monkeypatch.setattr(PeopleWorkspace, "finish", fail)
    tablet.household()
    assert tablet.sync().status == 500
    monkeypatch.undo()
    assert count(office, "entry") == 0
    assert tablet.sync().decisions == ["applied"]


def test_500_bad_entries_in_one_batch_are_500_quarantines(tablet):
    """[R5.1] Whatever is wrong inside one entry quarantines that entry."""
    for number in range(LIMITS.batch_entries):
        tablet.append("tea_drunk", {"cups": number})
    assert tablet.sync().decisions == ["quarantined"] * LIMITS.batch_entries


def test_the_largest_entry_that_may_be_captured_goes_through(tablet):
    body = an_enrolment(tablet.person())
    entry_id, text = tablet.entry("enrolment_recorded", body)
    tablet.journal.append(text + " " * (LIMITS.entry_bytes - len(text.encode())))
    assert tablet.sync().decisions == ["applied", "applied"]
    assert json.loads(tablet.journal[1])["id"] == entry_id


def test_a_payment_whose_entry_is_not_its_own_id_is_quarantined(office, tablet):
    enrolment = tablet.enrolment(tablet.person())
    tablet.append("payment_collected", a_payment(tablet.ids.new_id(), [enrolment]))
    assert tablet.sync().verdicts[2]["field"] == "payment"
    assert send(office, "/api/v1/nothing", b"", {}).status == 404
