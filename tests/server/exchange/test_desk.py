"""The office's own journal: decisions are entries, and quarantined entries are settled by them."""

from __future__ import annotations

import json

import pytest

from server.audit.changes import run_change
from server.audit.desk_journal import desk_lines
from server.exchange import registry
from server.exchange.desk import DeskRefusedError, replay_desk_entry
from server.exchange.jobs import expire_held_entries
from server.journals.queries import desk_journal_head, every_stored_entry
from sync.journal import chain, entry_sha256, genesis_digest
from tests.support.desk import a_supervisor, decide, refusal
from tests.support.office_checks import cash_of, count, open_cases, outcome_of, rows, suspense_of
from tests.support.raw_tablet import a_household, a_payment, a_tablet
from tests.support.small_office import COMMUNES, DRIVE

NOWHERE = "99999@2004-01-01"


@pytest.fixture
def supervisor(office):
    return a_supervisor(office)


def a_bad_household(tablet):
    """Register a household in an area that the office does not have."""
    return tablet.append("household_registered", a_household(NOWHERE))


def pulled_outcomes(tablet):
    """Return the outcome records that a tablet gets, by entry id."""
    shown = tablet.sync(pull=True).json["rows"]
    return {row["id"]: row["record"] for row in shown if row["type"] == "outcome"}


def test_a_correction_puts_the_entry_into_effect_and_releases_what_waited_for_it(office, tablet, supervisor):
    """[D3] Judged again as the original entry, with the corrected body; [R7.1] what waited goes through."""
    household = a_bad_household(tablet)
    visit = tablet.visit(household)
    person = tablet.person(household)
    assert tablet.sync().decisions == ["quarantined", "held", "held"]
    before = rows(office, "SELECT wall_ms, lower_ms, upper_ms, business_day FROM entry WHERE seq = 1")
    office.clock.advance(days=2)
    decide(office, supervisor, "entry_corrected", target=household, body=a_household())
    assert [outcome_of(office, each) for each in (household, visit, person)] == [("applied", None)] * 3
    assert rows(office, "SELECT id, area_key FROM household") == [(household, COMMUNES[1])]
    assert rows(office, "SELECT agent_id FROM visit") == [(office.agents["an"],)]
    after = rows(
        office,
        "SELECT wall_ms, lower_ms, upper_ms, business_day FROM entry "
        "WHERE seq = 1 AND installation_id <> 'desk'",
    )
    assert after == before
    assert tablet.sync(first_seq=1).decisions[0] == "quarantined", "[R2.1] the verdict stays what it was"
    assert pulled_outcomes(tablet)[household]["state"] == "applied"


def test_what_a_correction_releases_and_cannot_be_judged_is_quarantined_alone(
    office, tablet, supervisor, monkeypatch
):
    """[R5.2] An exception while judging one entry quarantines that entry, not the office's decision."""
    good = registry.HANDLERS["visit_recorded"]

    def fail_on_poison(batch, arrival):
        if arrival.body["note"] == "độc":
            raise ZeroDivisionError
        return good.apply(batch, arrival)

    monkeypatch.setitem(registry.HANDLERS, "visit_recorded", registry.KindHandler(good.want, fail_on_poison))
    household = a_bad_household(tablet)
    visits = [tablet.visit(household, note=note) for note in (None, "độc", None)]
    assert tablet.sync().decisions == ["quarantined", "held", "held", "held"]
    decide(office, supervisor, "entry_corrected", target=household, body=a_household())
    assert outcome_of(office, household) == ("applied", None)
    found = [outcome_of(office, each) for each in visits]
    assert found == [("applied", None), ("quarantined", "judgement_failed"), ("applied", None)]
    assert count(office, "visit") == 2


def test_a_correction_that_cannot_be_judged_itself_is_refused(office, tablet, supervisor, monkeypatch):
    """[R5.2] Its entry stays quarantined as it was, and nothing of the decision is stored."""

    def fail(_batch, _arrival):
        raise ZeroDivisionError

    household = a_bad_household(tablet)
    tablet.sync()
    good = registry.HANDLERS["household_registered"]
    monkeypatch.setitem(registry.HANDLERS, "household_registered", registry.KindHandler(good.want, fail))
    body = {"target": household, "body": a_household()}
    assert refusal(office, supervisor, "entry_corrected", **body) == ("judgement_failed", None)
    assert outcome_of(office, household) == ("quarantined", "area_unknown")
    assert count(office, "household") == 0


def test_a_corrected_payment_is_posted_once_and_settles(office, tablet, supervisor):
    """[D4] Cash that was posted on arrival stays posted once, and settles."""
    enrolment = tablet.enrolment(tablet.person())
    payment = tablet.ids.new_id()
    body = a_payment(payment, [enrolment])
    tablet.append("payment_collected", body | {"scheme": "none"}, payment)
    tablet.sync()
    assert (cash_of(office), suspense_of(office)) == (300_000, 300_000)
    decide(office, supervisor, "entry_corrected", target=payment, body=body)
    assert outcome_of(office, payment) == ("applied", None)
    assert (cash_of(office), suspense_of(office)) == (300_000, 0)
    assert rows(office, "SELECT paid_vnd FROM enrolment") == [(300_000,)]


def test_an_amount_that_was_unknown_is_posted_when_the_office_finds_it(office, tablet, supervisor):
    """[D4] An amount that was unknown is posted by the correction, and its case closed."""
    enrolment = tablet.enrolment(tablet.person())
    payment = tablet.payment(enrolment, amount_vnd="300.000")
    tablet.sync()
    assert (cash_of(office), open_cases(office)) == (0, ["amount_unknown"])
    decide(office, supervisor, "entry_corrected", target=payment, body=a_payment(payment, [enrolment]))
    assert (cash_of(office), suspense_of(office), open_cases(office)) == (300_000, 0, [])


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"area": NOWHERE}, "area_unknown", "body.area"),
        ({"head_name": 7}, "field_wrong_type", "body.head_name"),
        ({"colour": "red"}, "field_unknown", "body.colour"),
    ],
)
def test_a_wrong_correction_is_refused_and_changes_nothing(office, tablet, supervisor, changes, code, field):
    """[D2] A decision that breaks a rule is refused with its code and field, and nothing is stored."""
    household = a_bad_household(tablet)
    tablet.sync()
    audited = count(office, "audit_row")
    body = a_household() | changes
    assert refusal(office, supervisor, "entry_corrected", target=household, body=body) == (code, field)
    assert outcome_of(office, household) == ("quarantined", "area_unknown")
    assert (count(office, "household"), count(office, "audit_row")) == (0, audited)
    assert count(office, "desk_record WHERE kind = 'entry'") == 0


def test_another_amount_than_the_posted_one_is_no_correction(office, tablet, supervisor):
    enrolment = tablet.enrolment(tablet.person())
    payment = tablet.ids.new_id()
    tablet.append("payment_collected", a_payment(payment, [enrolment]) | {"scheme": "none"}, payment)
    tablet.sync()
    body = a_payment(payment, [enrolment], 200_000)
    found = refusal(office, supervisor, "entry_corrected", target=payment, body=body)
    assert found == ("allocation_mismatch", "body.allocations")
    assert (cash_of(office), suspense_of(office)) == (300_000, 300_000)


def test_a_correction_may_make_the_entry_wait_again(office, tablet, supervisor):
    """[D3] What it waits for now holds it again."""
    missing = tablet.ids.new_id()
    visit = tablet.visit(missing, disposition="shouted")
    tablet.sync()
    body = {"household": missing, "area": COMMUNES[1], "disposition": "agreed", "campaign": DRIVE}
    decide(office, supervisor, "entry_corrected", target=visit, body=body)
    assert outcome_of(office, visit) == ("held", "reference_not_seen")
    office.clock.advance(hours=1)
    other = a_tablet(office, "binh")
    other.append("household_registered", a_household(), missing)
    other.sync()
    assert outcome_of(office, visit) == ("applied", None)
    assert rows(office, "SELECT disposition FROM visit") == [("agreed",)]


def test_an_entry_held_too_long_may_be_corrected_to_wait_for_nothing(office, tablet, supervisor):
    household = tablet.household()
    visit = tablet.visit(tablet.ids.new_id())
    tablet.sync()
    office.clock.advance(days=31)
    expire_held_entries(office.runtime)
    body = {"household": household, "area": COMMUNES[1], "disposition": "agreed"}
    decide(office, supervisor, "entry_corrected", target=visit, body=body)
    assert outcome_of(office, visit) == ("applied", None)
    assert count(office, "held_wait") == 0


def test_an_entry_sent_back_says_so_and_is_settled_by_the_agents_answer(office, tablet, supervisor):
    """[D5] Sent back with a reason, answered by another entry, settled."""
    household = a_bad_household(tablet)
    tablet.sync()
    decide(office, supervisor, "entry_returned", target=household, reason="Sai địa bàn")
    record = pulled_outcomes(tablet)[household]
    assert record == {
        "state": "quarantined",
        "code": "area_unknown",
        "field": "area",
        "reason": "Sai địa bàn",
        "returned_ms": office.clock.now_ms(),
    }
    fresh = tablet.household()
    answer = {"target": household, "reply": "replaced", "replacement": fresh}
    tablet.append("return_answered", answer)
    assert tablet.sync().decisions == ["applied", "applied"]
    assert outcome_of(office, household) == ("answered", None)
    found = refusal(office, supervisor, "entry_corrected", target=household, body=a_household())
    assert found == ("not_quarantined", "target")
    found = refusal(office, supervisor, "entry_returned", target=household, reason="x")
    assert found == ("not_quarantined", "target")


def test_an_entry_whose_id_cannot_be_read_is_sent_back_under_its_stand_in(office, tablet, supervisor):
    """[D5] [E5] The stand-in names it, for the office and for the agent."""
    tablet.journal.append('{"không": "phải"  ')
    tablet.sync()
    [(name,)] = rows(office, "SELECT entry_id FROM outcome")
    found = refusal(office, supervisor, "entry_corrected", target=name, body={})
    assert found == ("not_correctable", "target")
    decide(office, supervisor, "entry_returned", target=name, reason="Không đọc được")
    assert pulled_outcomes(tablet)[name]["reason"] == "Không đọc được"
    tablet.append("return_answered", {"target": name, "reply": "withdrawn"})
    tablet.sync()
    assert outcome_of(office, name) == ("answered", None)


def test_only_the_agent_answers_and_only_what_was_sent_back(office, tablet, supervisor):
    """[K6] The own entry, sent back, still quarantined."""
    household, second = a_bad_household(tablet), a_bad_household(tablet)
    tablet.sync()
    decide(office, supervisor, "entry_returned", target=household, reason="Sai địa bàn")
    other = a_tablet(office, "binh")
    other.append("return_answered", {"target": household, "reply": "withdrawn"})
    assert other.sync().verdicts[0]["code"] == "not_own_entry"
    tablet.append("return_answered", {"target": second, "reply": "withdrawn"})
    tablet.append("return_answered", {"target": household, "reply": "withdrawn"})
    tablet.append("return_answered", {"target": household, "reply": "withdrawn"})
    codes = [verdict["code"] for verdict in tablet.sync().verdicts]
    assert codes == ["not_returned", None, "not_quarantined"]


def test_an_answered_entry_waits_for_nothing_any_more(office, tablet, supervisor):
    missing = tablet.ids.new_id()
    visit = tablet.visit(missing)
    tablet.sync()
    office.clock.advance(days=31)
    expire_held_entries(office.runtime)
    decide(office, supervisor, "entry_returned", target=visit, reason="Chờ quá lâu")
    tablet.append("return_answered", {"target": visit, "reply": "withdrawn"})
    tablet.append("household_registered", a_household(), missing)
    tablet.sync()
    assert outcome_of(office, visit) == ("answered", None)
    assert (count(office, "held_wait"), count(office, "visit")) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("entry_corrected", {"body": {}}),
        ("entry_returned", {"reason": "x"}),
        ("records_unmerged", {}),
    ],
)
def test_a_decision_of_the_desk_is_not_taken_from_a_device(office, tablet, kind, body):
    """[K5] The office's kinds from a device are quarantined (`kind_not_for_devices`)."""
    household = a_bad_household(tablet)
    named = {"merge": household} if kind == "records_unmerged" else {"target": household}
    tablet.append(kind, body | named)
    assert tablet.sync().verdicts[1]["code"] == "kind_not_for_devices"
    assert outcome_of(office, household) == ("quarantined", "area_unknown")


def test_a_devices_kind_is_not_taken_from_the_desk(office, supervisor):
    assert refusal(office, supervisor, "household_registered", **a_household())[0] == "kind_not_for_devices"


def test_the_desks_journal_is_a_chain_of_its_own_and_is_kept_outside_too(office, tablet, supervisor):
    """[D1] Stored, chained and written to the desk journal."""
    first, second = a_bad_household(tablet), a_bad_household(tablet)
    tablet.sync()
    decide(office, supervisor, "entry_returned", target=first, reason="Sai địa bàn")
    decide(office, supervisor, "entry_corrected", target=second, body=a_household())
    with office.runtime.transactions.reading() as connection:
        stored = [
            each
            for each in every_stored_entry(connection, office.runtime.sealer)
            if each.installation_id == "desk"
        ]
        head = desk_journal_head(connection)
        lines = [line for line in desk_lines(connection, 0) if line.kind == "entry"]
    assert [json.loads(each.raw)["kind"] for each in stored] == ["entry_returned", "entry_corrected"]
    assert chain(genesis_digest("desk"), [entry_sha256(each.raw) for each in stored])[-1] == head.digest
    assert {each.worker_id for each in stored} == {supervisor.worker_id}
    assert [line.members["entry"] for line in lines] == [each.entry_id for each in stored]
    assert "Sai địa bàn" not in "".join(line.content for line in lines)


def test_a_desk_entry_is_replayed_from_the_desk_journal_once(office, tablet, supervisor):
    """[D6] A restored database takes it from the desk journal; one that has it does not."""
    household = a_bad_household(tablet)
    tablet.sync()
    decide(office, supervisor, "entry_corrected", target=household, body=a_household())
    with office.runtime.transactions.reading() as connection:
        [line] = [line for line in desk_lines(connection, 0) if line.kind == "entry"]

    def replay():
        return run_change(
            office.runtime.transactions,
            supervisor,
            line.at_ms,
            lambda change: replay_desk_entry(office.runtime, change, line.members) or change.audit("no", "x"),
        )

    assert replay() is None
    with office.runtime.transactions.writing() as connection:
        for statement in (
            "DELETE FROM outcome WHERE installation_id = 'desk'",
            "DELETE FROM entry WHERE installation_id = 'desk'",
            "DELETE FROM household",
            "DELETE FROM record WHERE record_type = 'household'",
            "DELETE FROM feed WHERE scope <> 'office'",
            "UPDATE scope_head SET row_count = 0, row_sum = '0000000000000000' WHERE scope <> 'office'",
            "UPDATE outcome SET state = 'quarantined', code = 'area_unknown', corrected_by = NULL",
        ):
            connection.exec_driver_sql(statement)
    assert replay() is not None
    assert outcome_of(office, household) == ("applied", None)
    assert count(office, "desk_record WHERE kind = 'entry'") == 1


def test_a_replayed_decision_about_what_has_not_come_back_is_refused_for_now(office, tablet, supervisor):
    household = a_bad_household(tablet)
    tablet.sync()
    decide(office, supervisor, "entry_returned", target=household, reason="x")
    with office.runtime.transactions.reading() as connection:
        [line] = [line for line in desk_lines(connection, 0) if line.kind == "entry"]
    with office.runtime.transactions.writing() as connection:
        connection.exec_driver_sql("DELETE FROM outcome")
        connection.exec_driver_sql("DELETE FROM entry")
        connection.exec_driver_sql("UPDATE installation SET acked_seq = 0")
    with pytest.raises(DeskRefusedError) as refused:
        run_change(
            office.runtime.transactions,
            supervisor,
            line.at_ms,
            lambda change: replay_desk_entry(office.runtime, change, line.members),
        )
    assert refused.value.fault.code == "reference_not_seen"


def test_flags_of_an_entry_released_from_hold_are_kept_beside_its_outcome(office):
    """[R7.6] The flags of its judgement about area and contents are shown, as those of any other."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    household = an.household(COMMUNES[0])
    visit = binh.visit(household, area=COMMUNES[0])
    assert binh.sync().verdicts[0]["flags"] == []
    an.sync()
    assert rows(office, "SELECT flags FROM outcome WHERE entry_id = :id", id=visit) == [('["out_of_area"]',)]
