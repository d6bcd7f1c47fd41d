"""Pull: grants, cursors, sums; no byte of another area's scope in any reply."""

from __future__ import annotations

import json

import pytest

from server.devices.actions import revoke_installation
from server.office.actions import assign_worker, end_assignment
from sync.feed import EMPTY_SUM, sum_changed
from sync.limits import LIMITS
from tests.support.office_checks import rows
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import COMMUNES


class Replica:
    """What a device holds after applying pulls, as the protocol tells it to: no code of ours."""

    def __init__(self, tablet) -> None:
        self.tablet = tablet
        self.held: dict[str, dict[tuple[str, str], tuple[str, object]]] = {}
        self.cursors: dict[str, tuple[int, int]] = {}
        self.bytes = 0

    def pull(self, limit: int = LIMITS.pull_rows) -> None:
        """Pull until every granted scope stands at its head; compare count and sum there."""
        while True:
            have = [
                {"scope": scope, "epoch": epoch, "seq": seq, "count": 0, "sum": EMPTY_SUM}
                for scope, (epoch, seq) in self.cursors.items()
            ]
            answer = self.tablet.sync(pull=True, have=have, limit=limit)
            assert answer.status == 200, answer.json
            grants = {grant["scope"]: grant for grant in answer.json["grants"]}
            for row in answer.json["rows"]:
                assert row["scope"] in grants
                self._apply(row, grants[row["scope"]]["epoch"])
            if not answer.json["rows"]:
                break
        for scope in set(self.held) - grants.keys():
            del self.held[scope], self.cursors[scope]
        for scope, grant in grants.items():
            held = self.held.get(scope, {})
            total = sum_changed(EMPTY_SUM, added=(row_hash for row_hash, _ in held.values()))
            assert (len(held), total) == (grant["count"], grant["sum"]), scope

    def _apply(self, row, epoch) -> None:
        scope, key = row["scope"], (row["type"], row["id"])
        assert row["seq"] > self.cursors.get(scope, (epoch, 0))[1]
        self.cursors[scope] = (epoch, row["seq"])
        held = self.held.setdefault(scope, {})
        if row["op"] == "put":
            held[key] = (row["row_hash"], row["record"])
        else:
            held.pop(key, None)

    def records(self, record_type: str) -> dict[str, object]:
        """Return every record of a type that any scope lists."""
        return {
            key[1]: record
            for held in self.held.values()
            for key, (_hash, record) in held.items()
            if key[0] == record_type
        }


def work_in(tablet, area, tag):
    """Capture a household with a person and a visit; return the household's id."""
    household = tablet.household(area, head_name=f"Chủ hộ {tag}", address=f"Đường {tag}", phone="0912345678")
    tablet.person(household, full_name=f"Người {tag}", national_id="000190000123")
    tablet.visit(household, area=area)
    tablet.sync()
    return household


def test_no_byte_of_another_area_is_in_a_reply(office):
    """[P8] A reply about something outside the caller's scopes carries no name."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    secret = work_in(an, COMMUNES[0], "BÍMẬT")
    work_in(an, COMMUNES[1], "chung")
    binh.visit(secret, area=COMMUNES[1])
    binh.append("household_amended", {"household": secret, "base": secret, "set": {"members": 3}})
    answer = binh.sync(pull=True)
    text = (
        answer.body.decode()
        if answer.headers.get("Content-Encoding") != "gzip"
        else json.dumps(answer.json, ensure_ascii=False)
    )
    assert "BÍMẬT" not in text
    assert "Chủ hộ chung" in text
    scopes = {grant["scope"] for grant in answer.json["grants"]}
    assert scopes == {"office", f"agent:{office.agents['binh']}", f"area:{COMMUNES[1]}"}


def test_wire_rows_carry_masked_numbers(office, tablet):
    """[P8] Wire rows carry masked numbers; full ones leave only by an audited page."""
    work_in(tablet, COMMUNES[1], "x")
    replica = Replica(tablet)
    replica.pull()
    (person,) = replica.records("person").values()
    assert person["national_id"] == "••••••••0123"
    assert "000190000123" not in str(replica.held)


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_pages_of_any_size_end_at_the_heads_with_equal_sums(office, tablet, limit):
    """[P4] Rows come scope by scope, each by seq, until every scope stands at its head."""
    for number in range(4):
        work_in(tablet, COMMUNES[number % 3], str(number))
    replica = Replica(tablet)
    replica.pull(limit)
    assert len(replica.records("household")) == 4
    assert len(replica.records("visit")) == 4


def test_a_cursor_at_its_head_gets_nothing_and_a_change_only_itself(office, tablet):
    """[P1] Rows of one answer are of a snapshot taken after the push has committed."""
    household = work_in(tablet, COMMUNES[1], "x")
    replica = Replica(tablet)
    replica.pull()
    have = [
        {"scope": scope, "epoch": epoch, "seq": seq, "count": 0, "sum": EMPTY_SUM}
        for scope, (epoch, seq) in replica.cursors.items()
    ]
    assert tablet.sync(pull=True, have=have).json["rows"] == []
    tablet.append("household_amended", {"household": household, "base": household, "set": {"members": 3}})
    got = tablet.sync(pull=True, have=have).json["rows"]
    assert [(row["type"], row["id"], row["version"]) for row in got] == [("household", household, 2)]


@pytest.mark.parametrize("cursor", [{"epoch": 0}, {"epoch": 2}, {"seq": 2**50}])
def test_a_cursor_that_cannot_be_right_starts_that_scope_from_0(office, tablet, cursor):
    """[P3] Another epoch, or past the head: read from 0, that scope alone."""
    work_in(tablet, COMMUNES[1], "x")
    scope = f"area:{COMMUNES[1]}"
    have = [{"scope": scope, "epoch": 1, "seq": 3, "count": 0, "sum": EMPTY_SUM} | cursor]
    got = tablet.sync(pull=True, have=have).json["rows"]
    assert sum(row["scope"] == scope for row in got) == 3


def test_a_scope_that_is_not_granted_is_never_read_whatever_is_claimed(office):
    """[P3] A scope that is not granted is never read, whatever is claimed."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    work_in(an, COMMUNES[0], "BÍMẬT")
    have = [
        {"scope": scope, "epoch": 1, "seq": 0, "count": 0, "sum": EMPTY_SUM}
        for scope in (f"area:{COMMUNES[0]}", f"agent:{office.agents['an']}", "organisation:x", "nonsense")
    ]
    text = json.dumps(binh.sync(pull=True, have=have).json, ensure_ascii=False)
    assert "BÍMẬT" not in text
    assert COMMUNES[0] not in json.dumps(
        [row for row in json.loads(text)["rows"] if row["scope"] != "office"]
    )


def test_a_new_grant_is_filled_from_its_beginning_and_an_ended_one_goes(office):
    """A new grant starts at 0 for that scope alone; an ended assignment drops its scope."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    work_in(an, COMMUNES[2], "mới")
    replica = Replica(binh)
    replica.pull()
    assert replica.records("household") == {}
    ids, worker, now_ms = office.runtime.ids, office.agents["binh"], office.clock.now_ms()
    assignment = office.change(
        lambda change: assign_worker(change, ids, worker, "agent", area_key=COMMUNES[2], from_ms=now_ms)
    )
    replica.pull()
    assert len(replica.records("household")) == 1
    office.clock.advance(hours=1)
    office.change(lambda change: end_assignment(change, assignment, office.clock.now_ms()))
    office.clock.advance(hours=1)
    replica.pull()
    assert replica.records("household") == {}


def test_a_household_that_moves_leaves_one_scope_and_joins_the_other(office):
    """[F3] Listed in exactly the scopes that the last state names."""
    an, binh = a_tablet(office), a_tablet(office, "binh")
    household = work_in(an, COMMUNES[1], "x")
    mine, theirs = Replica(an), Replica(binh)
    mine.pull()
    theirs.pull()
    assert set(theirs.records("household")) == {household}
    body = {"household": household, "base": household, "set": {"area": COMMUNES[0]}}
    an.append("household_amended", body)
    an.sync()
    mine.pull()
    theirs.pull()
    assert mine.records("household")[household]["area"] == COMMUNES[0]
    assert theirs.records("household") == theirs.records("person") == {}


def test_a_voided_visit_leaves(office, tablet):
    replica = Replica(tablet)
    visit = tablet.visit(tablet.household())
    tablet.sync()
    replica.pull()
    assert set(replica.records("visit")) == {visit}
    tablet.append("entry_voided", {"target": visit, "reason": "nhầm"})
    tablet.sync()
    replica.pull()
    assert replica.records("visit") == {}


def test_revoked_reads_nothing_and_a_fork_reads_nothing(office, tablet):
    """[P7] An installation that is not active gets `grants: []` and no rows."""
    work_in(tablet, COMMUNES[1], "x")
    office.change(lambda change: revoke_installation(change, tablet.installation))
    answer = tablet.sync(pull=True)
    assert (answer.json["grants"], answer.json["rows"]) == ([], [])


def test_without_a_pull_there_are_no_grants(tablet):
    tablet.household()
    answer = tablet.sync()
    assert (answer.json["grants"], answer.json["rows"]) == (None, [])


def test_the_real_client_agrees_with_the_server_on_every_sum(office):
    """[S1] Both ends keep sum and count step by step."""
    client = office.tablet("an")
    household = client.actions.register_household(area=COMMUNES[0], head_name="Lê Văn Tám", address="1")
    person = client.actions.register_person(full_name="Lê Thị Bưởi", household=household)
    enrolment = client.actions.record_enrolment(
        person=person,
        scheme="voluntary",
        status="new",
        from_month="2020-06",
        months=3,
        amount_due_vnd=300_000,
        campaign=1,
    )
    client.actions.collect_payment([(enrolment, 300_000)])
    report = client.sync()
    assert (report.is_clean, report.verdicts) == (True, {"applied": 5})
    other = office.tablet("an")
    assert other.sync().is_clean
    assert other.projection.view("person", person).fields["full_name"] == "Lê Thị Bưởi"
    assert rows(office, "SELECT state FROM receipt") == [("reconciled",)]
    assert client.replica.cursors() == other.replica.cursors()
