"""Rules 1 to 4 and 6: replay, gap, fork, re-enrolment, revocation. Docstrings repeat the MUSTs."""

from __future__ import annotations

import json

import pytest

from schemas.signatures import ACKNOWLEDGEMENT_CONTEXT, statement_content
from server.devices.actions import revoke_installation
from sync.clock import DAY_MS
from sync.journal import genesis_digest
from tests.support.office_checks import cash_of, count, incidents, outcome_of, rows, state_of, suspense_of
from tests.support.raw_tablet import RawTablet, a_household, a_payment, a_tablet
from tests.support.small_office import COMMUNES


def a_day_of_work(tablet: RawTablet) -> list[str]:
    """Capture one entry of most kinds; return their ids."""
    household = tablet.household()
    person = tablet.person(household, national_id="000190000001")
    visit = tablet.visit(household)
    install = tablet.append(
        "vssid_installed",
        {"person": person, "area": COMMUNES[1], "state": "activated"}
        | {"occasion": "home_visit", "evidence": "seen_on_screen"},
    )
    enrolment = tablet.enrolment(person, visit=visit)
    payment = tablet.payment(enrolment)
    amended = tablet.append("person_amended", {"person": person, "base": person, "set": {"sex": "female"}})
    voided = tablet.append("entry_voided", {"target": install, "reason": "nhầm người"})
    return [household, person, visit, install, enrolment, payment, amended, voided]


def test_every_entry_gets_exactly_one_verdict_and_its_effect_once(office, tablet):
    ids = a_day_of_work(tablet)
    answer = tablet.sync(pull=True)
    assert answer.decisions == ["applied"] * len(ids)
    assert [verdict["id"] for verdict in answer.verdicts] == ids
    assert cash_of(office) == 300_000
    assert suspense_of(office) == 0
    assert outcome_of(office, ids[3]) == ("voided", None)


def test_a_replay_gets_the_original_verdicts_and_has_no_second_effect(office, tablet):
    """[R2.1] A stored verdict does not change and never expires: a replay gets the original one."""
    a_day_of_work(tablet)
    first = tablet.sync()
    before = [count(office, table) for table in ("entry", "outcome", "ledger_line", "visit", "credit")]
    office.clock.advance(days=400)
    again = tablet.sync(first_seq=1)
    assert again.verdicts == first.verdicts
    assert [
        count(office, table) for table in ("entry", "outcome", "ledger_line", "visit", "credit")
    ] == before


def test_a_replay_of_a_held_entry_says_held_again_and_shows_its_outcome(office, tablet):
    """[R2.1] The same entry at the same position gets the original verdict.

    [R2.2] What becomes of it later is its outcome; a push that brings it again says it.
    """
    household = tablet.ids.new_id()
    visit = tablet.visit(household)
    assert tablet.sync().decisions == ["held"]
    tablet.append("household_registered", a_household(), household)
    assert tablet.sync().decisions == ["applied"]
    again = tablet.sync(first_seq=1)
    assert again.decisions == ["held", "applied"]
    assert again.json["outcomes"] == [{"id": visit, "state": "applied", "code": None, "field": None}]


def test_a_replay_may_go_on_with_new_entries(tablet):
    tablet.household()
    first = tablet.sync().verdicts
    tablet.household()
    both = tablet.sync(first_seq=1)
    assert both.verdicts[0] == first[0]
    assert both.decisions == ["applied", "applied"]


def test_the_acknowledgement_is_signed_and_names_the_chain_head(office, tablet):
    a_day_of_work(tablet)
    answer = tablet.sync()
    key = office.runtime.config.office_key.public
    content = statement_content(key, ACKNOWLEDGEMENT_CONTEXT, answer.json["ack"])
    assert content == {
        "installation": tablet.installation,
        "acked_seq": 8,
        "head": tablet.head["digest"],
        "durable_seq": 0,
        "epoch": 1,
        "server_ms": office.clock.now_ms(),
    }


def test_a_gap_is_answered_with_the_expected_seq_and_the_resend_goes_through(tablet):
    """[R4.1] A push after the acknowledged end is answered `journal_gap` with `expected_seq`."""
    tablet.household()
    tablet.sync()
    for _ in range(3):
        tablet.household()
    answer = tablet.sync(first_seq=4)
    assert (answer.status, answer.code, answer.json["expected_seq"]) == (409, "journal_gap", 2)
    assert tablet.sync(first_seq=answer.json["expected_seq"]).decisions == ["applied"] * 3


def test_a_gap_stores_nothing(office, tablet):
    """[R4.1] Nothing of a push that leaves a gap is stored.

    [X1] A refused request has stored nothing.
    """
    tablet.household()
    tablet.household()
    before = count(office, "clock_mark")
    assert tablet.sync(first_seq=2).code == "journal_gap"
    assert count(office, "entry") == 0
    assert count(office, "clock_mark") == before


def test_a_head_that_is_not_the_digest_of_the_entries_is_refused_and_nothing_is_stored(office, tablet):
    """[R3.2] A head that is not the digest of the entries sent is refused and nothing stored."""
    tablet.household()
    answer = tablet.sync(journal_head={"seq": 1, "digest": "0" * 64})
    assert (answer.status, answer.code) == (409, "head_mismatch")
    assert count(office, "entry") == count(office, "contested_entry") == 0
    assert state_of(office, tablet.installation) == "active"


def test_a_head_before_the_last_entry_sent_is_refused(tablet):
    """[Q1] `journal_head` is at or after the last entry sent."""
    tablet.household()
    tablet.household()
    assert tablet.sync(journal_head=tablet.head_at(1)).code == "head_mismatch"


def test_an_empty_run_leaves_a_heartbeat(office, tablet):
    tablet.household()
    tablet.sync()
    tablet.household()
    push = {"first_seq": 2, "previous_digest": tablet.head_at(1)["digest"], "entries": []}
    assert tablet.post(tablet.request(push=push)).decisions == []
    assert rows(office, "SELECT journal_head_seq, acked_seq FROM installation") == [(2, 1)]


def a_clone_that_synced_first(tablet: RawTablet) -> RawTablet:
    """Return the original of a tablet whose copy captured and synced something else."""
    tablet.household()
    tablet.sync()
    twin = tablet.copied()
    twin.household(head_name="Bản sao")
    assert twin.sync().status == 200
    tablet.household(head_name="Bản gốc")
    return tablet


def test_a_fork_is_fenced_with_its_bytes_kept(office, tablet):
    """[R3.1] A push that contradicts a stored digest: bytes kept, an incident, fenced.

    [R3.3] A fenced installation is refused whole, reads included.
    """
    honest = a_clone_that_synced_first(tablet)
    answer = honest.sync(pull=True)
    assert (answer.status, answer.code) == (409, "journal_forked")
    assert state_of(office, tablet.installation) == "fenced"
    assert count(office, "contested_entry") == 1
    assert incidents(office)["journal_forked"] == 1
    again = honest.sync(pull=True)
    assert (again.status, again.code) == (403, "installation_fenced")
    assert "Lê Văn Tám" not in again.body.decode()


def test_a_head_alone_can_show_the_fork(office, tablet):
    """[R3.1] The same holds for a signed `journal_head` that contradicts the stored digest."""
    honest = a_clone_that_synced_first(tablet)
    assert honest.post(honest.request(push=None)).code == "journal_forked"
    assert state_of(office, tablet.installation) == "fenced"


def test_a_copy_that_knows_less_is_told_by_the_acknowledgement(office, tablet):
    """A device that hears an acked_seq beyond its own head is a copy: the server must say it."""
    tablet.household()
    tablet.sync()
    old = tablet.copied()
    tablet.household()
    tablet.sync()
    answer = old.post(old.request(push=None))
    assert (answer.status, answer.acked_seq) == (200, 2)
    assert state_of(office, tablet.installation) == "active"


def test_a_carry_over_loses_nothing_and_doubles_nothing(office, tablet):
    """[R3.5] Same id and same bytes as an entry seen before: `duplicate`."""
    ids = a_day_of_work(tablet)
    tablet.sync()
    twin = tablet.copied()
    twin.household(head_name="Bản sao")
    twin.sync()
    enrolment = tablet.enrolment(ids[1], scheme="health")
    tablet.payment(enrolment, scheme="health")
    assert tablet.sync().code == "journal_forked"
    fresh = tablet.enrolled_again()
    answer = fresh.sync()
    assert answer.decisions == ["duplicate"] * 8 + ["applied"] * 2
    assert {verdict["code"] for verdict in answer.verdicts[:8]} == {"entry_already_received"}
    assert cash_of(office) == 600_000
    assert state_of(office, tablet.installation) == "superseded"
    twin_again = twin.enrolled_again()
    assert twin_again.sync().decisions == ["duplicate"] * 9
    assert cash_of(office) == 600_000


def test_a_carry_over_of_nameless_cash_does_not_post_it_again(office, tablet):
    """Cash posts once per entry id; an entry whose id cannot be read is known by its bytes.

    [E5] An entry whose id cannot be read is known by a stand-in.
    """
    body = a_payment("x", ["y"], 5_000)
    tablet.append("payment_collected", body, id="not-an-id")
    assert tablet.sync().verdicts[0]["code"] == "entry_id_malformed"
    assert tablet.enrolled_again().sync().decisions == ["duplicate"]
    assert cash_of(office) == 5_000


def test_a_re_enrolment_names_a_predecessor_of_the_same_worker(office, tablet):
    """[N5] A predecessor belongs to the same worker, else `predecessor_mismatch`."""
    stranger = RawTablet(office, "binh", predecessor=tablet.installation)
    answer = stranger.enrol()
    assert (answer.status, answer.code) == (409, "predecessor_mismatch")
    assert state_of(office, tablet.installation) == "active"


def test_a_push_that_names_another_predecessor_is_refused(office, tablet):
    """[Q4] A `predecessor` that is not the one of the enrolment is `predecessor_mismatch`."""
    other = a_tablet(office)
    answer = tablet.sync(predecessor=other.installation)
    assert (answer.status, answer.code) == (409, "predecessor_mismatch")


def test_a_superseded_installation_is_refused(tablet):
    """[R3.3] A superseded installation is refused whole."""
    tablet.enrolled_again()
    tablet.household()
    assert tablet.sync().code == "installation_superseded"


def test_the_same_id_with_other_bytes_is_an_incident_and_both_are_kept(office, tablet):
    """[R3.6] Same id with other bytes: quarantined, an incident; both kept, no second effect."""
    household = tablet.household()
    tablet.sync()
    thief = a_tablet(office, "binh")
    thief.append("household_registered", a_household(head_name="Khác"), household)
    answer = thief.sync()
    assert answer.verdicts[0]["code"] == "entry_id_reused"
    assert answer.json["outcomes"] == []
    assert incidents(office) == {"entry_id_reused": 1}
    assert count(office, "household") == 1
    assert count(office, "entry") == 2
    carried = thief.enrolled_again()
    assert carried.sync().decisions == ["duplicate"]
    assert incidents(office) == {"entry_id_reused": 1}


def test_a_reused_id_within_one_batch_is_an_incident_too(office, tablet):
    """[R3.6] Same id with other bytes is quarantined, and the second never has an effect."""
    household = tablet.household()
    tablet.append("household_registered", a_household(head_name="Khác"), household)
    tablet.journal.append(tablet.journal[0])
    assert tablet.sync().decisions == ["applied", "quarantined", "duplicate"]
    assert count(office, "household") == 1


def test_cash_under_a_taken_id_is_on_the_ledger_once(office, tablet):
    """[R3.6] The cash of a reused id is posted where the first was no payment.

    [R6.3] Whatever the verdict, it is on the agent's ledger once per entry id.
    """
    household = tablet.household()
    tablet.append("payment_collected", a_payment(household, [household], 7_000), household)
    assert tablet.sync().decisions == ["applied", "quarantined"]
    assert cash_of(office) == 7_000
    other = tablet.payment(household, amount_vnd=2_000)
    tablet.payment(household, amount_vnd=9_000, entry_id=other)
    assert tablet.sync().decisions == ["quarantined", "quarantined"]
    assert cash_of(office) == 9_000


def test_what_comes_after_a_revocation_is_quarantined_and_reads_nothing(office, tablet):
    """[R6.5] Revocation stops reads at once; entries up to the last valid seq keep verdicts."""
    household = tablet.household()
    tablet.sync(pull=True)
    office.change(lambda change: revoke_installation(change, tablet.installation))
    tablet.visit(household)
    answer = tablet.sync(pull=True)
    assert answer.verdicts[0]["code"] == "installation_revoked"
    assert (answer.json["grants"], answer.json["rows"]) == ([], [])
    assert count(office, "visit") == 0
    assert tablet.sync(first_seq=1, pull=True).decisions == ["applied", "quarantined"]


def test_cash_of_a_revoked_tablet_is_on_the_ledger(office, tablet):
    """[R6.5] Entries after a revocation are quarantined, their cash posted."""
    office.change(lambda change: revoke_installation(change, tablet.installation))
    tablet.payment(tablet.ids.new_id(), amount_vnd=4_000)
    assert tablet.sync().decisions == ["quarantined"]
    assert cash_of(office) == suspense_of(office) == 4_000


def test_a_fork_does_not_make_a_revoked_tablet_forget_its_revocation(office, tablet):
    """[R3.1] A revoked installation stays revoked.

    [N5] A predecessor becomes superseded, unless it was revoked, which it stays.
    """
    honest = a_clone_that_synced_first(tablet)
    office.change(lambda change: revoke_installation(change, tablet.installation))
    assert honest.sync().code == "journal_forked"
    assert state_of(office, tablet.installation) == "revoked"
    assert honest.enrolled_again().sync().status == 200
    assert state_of(office, tablet.installation) == "revoked"


def test_an_acknowledgement_of_what_the_server_forgot_is_an_incident(office, tablet):
    """A server shown an acknowledgement that it does not remember must not take it for nothing.

    [R8.5] A `last_ack` beyond what the server remembers is written down as an incident.
    """
    tablet.household()
    tablet.sync()
    forgotten = {"acked_seq": 0, "head_digest": genesis_digest(tablet.installation)}
    with office.runtime.transactions.writing() as connection:
        from sqlalchemy import text

        connection.execute(text("DELETE FROM entry"))
        connection.execute(
            text("UPDATE installation SET acked_seq = 0, head_digest = :digest"),
            {"digest": forgotten["head_digest"]},
        )
    assert tablet.post(tablet.request(push=None)).status == 200
    assert incidents(office)["acknowledgement_forgotten"] == 1


@pytest.mark.parametrize("shown", ["text", "signature"])
def test_a_forged_acknowledgement_is_refused(office, tablet, shown):
    """[Q3] A `last_ack` that names the current office key carries its signature."""
    tablet.household()
    tablet.sync()
    forged = dict(tablet.last_ack)
    forged["text"] = forged["text"].replace('"acked_seq":1', '"acked_seq":9')
    if shown == "signature":
        forged = dict(tablet.last_ack) | {"signature": "AAAA"}
    answer = tablet.sync(last_ack=forged)
    assert (answer.status, answer.code, answer.json["field"]) == (422, "body_invalid", "last_ack")


def test_an_acknowledgement_under_an_older_office_key_says_nothing(tablet):
    """[Q3] A `last_ack` that names an older office key says nothing."""
    tablet.household()
    tablet.sync()
    assert tablet.sync(last_ack=dict(tablet.last_ack) | {"kid": "00000000"}).status == 200


def test_an_enrolment_code_works_once_for_ten_minutes_and_its_repetition_gives_the_same(office):
    code = office.enrolment_code("an")
    tablet = RawTablet(office)
    first = tablet.enrol(code)
    assert tablet.enrol(code).json == first.json
    assert RawTablet(office).enrol(code).code == "enrolment_code_invalid"
    late = office.enrolment_code("an")
    office.clock.advance(ms=10 * 60 * 1000 + 1)
    assert RawTablet(office).enrol(late).code == "enrolment_code_invalid"
    assert json.loads(first.json["certificate"]["text"])["number"] == tablet.number


def test_a_key_id_that_is_taken_is_refused_so_that_the_device_makes_another_key(office, tablet):
    """[N4] A key whose kid another installation has is refused with `key_id_taken`."""
    twin = RawTablet(office, key=tablet.key)
    assert twin.enrol().code == "key_id_taken"


def test_an_old_journal_is_never_refused_for_age(office, tablet):
    tablet.household()
    office.clock.advance(ms=700 * DAY_MS)
    answer = tablet.sync()
    assert (answer.decisions, answer.verdicts[0]["flags"]) == (["applied"], ["late_arrival"])
