"""A client written from docs/protocol.md alone, beside the field client, against a real server process."""

from __future__ import annotations

import gzip
import json
import shutil
import uuid
from contextlib import ExitStack

import httpx
import pytest

from field_client.client import FieldClient
from sync.clock import SystemClock
from tests.end_to_end.second_client import SecondClient
from tests.end_to_end.second_wire import LineDownError, NotCapturableError, RefusedError
from tests.end_to_end.serving import Serving
from tests.support.office_checks import cash_of, count, incidents, problems_of, rows, state_of
from tests.support.small_office import COMMUNES, DRIVE, small_office

# The commune of both agents: what one records there, the other pulls.
SHARED = COMMUNES[1]
_PROBLEM = {"Content-Type": "application/problem+json"}


class RoughLine(httpx.HTTPTransport):
    """A line on which each request in turn meets what `weather` has next; afterwards the sun shines."""

    def __init__(self) -> None:
        super().__init__()
        self.weather: list[str] = []
        self.most_entries = 1 << 30
        self.batches: list[list[str]] = []

    def handle_request(self, request):
        weather = self.weather.pop(0) if self.weather else "sun"
        if weather == "down":
            raise httpx.ConnectError("no network")
        if weather == "portal":
            return httpx.Response(200, json={"ack": {"text": "welcome"}, "verdicts": []})
        if weather == "redirect":
            return httpx.Response(302, headers={"Location": "http://portal.invalid/"})
        if weather == "busy":
            problem = {"code": "database_busy", "status": 503}
            return httpx.Response(503, json=problem, headers=_PROBLEM | {"Retry-After": "7"})
        body = json.loads(gzip.decompress(request.read()))
        entries = (body.get("push") or {}).get("entries", [])
        if len(entries) > self.most_entries:
            problem = {"code": "body_too_large", "status": 413}
            return httpx.Response(413, json=problem, headers=_PROBLEM)
        self.batches.append(entries)
        answer = super().handle_request(request)
        if weather == "lost":
            answer.read()
            answer.close()
            raise httpx.ReadError("the answer was lost")
        return answer


class World:
    """An office, its server process, a field client of An and a second client of Bình."""

    def __init__(self, office, serving, folder) -> None:
        self.office, self.serving, self.folder = office, serving, folder
        self.line = RoughLine()
        self.closing = ExitStack()
        self.http = self.closing.enter_context(httpx.Client(transport=self.line))
        self.naps: list[float] = []
        self.second = self.open("second.json")
        self.second.enrol(serving.url, office.enrolment_code("binh"))

    def open(self, name, protocol=2) -> SecondClient:
        client = SecondClient(self.folder / name, self.http, sleep=self.naps.append, protocol=protocol)
        return self.closing.enter_context(client)

    def copy(self, client, name) -> SecondClient:
        """What a backup of the tablet's storage is: the same file elsewhere."""
        shutil.copyfile(client.path, self.folder / name)
        return self.open(name)

    def entries_of(self, client) -> list[tuple[str, str]]:
        """(kind, verdict) of what the office has of this installation, in order."""
        return rows(
            self.office,
            "SELECT kind, verdict FROM entry WHERE installation_id = :id ORDER BY seq",
            id=client.state["installation"],
        )


@pytest.fixture
def office(any_database):
    with small_office(any_database, SystemClock()) as office:
        yield office
        office.runtime.transactions.engine.dispose()


@pytest.fixture
def world(any_database, office, tmp_path):
    serving = Serving(any_database, tmp_path)
    world = World(office, serving, tmp_path)
    with world.closing:
        yield world
    serving.close()


def a_household(client, name="Hộ Năm") -> str:
    return client.capture(
        "household_registered", {"area": SHARED, "head_name": name, "address": "3 Rạch Gầm"}
    )


def a_visit(client, household, area=SHARED) -> str:
    body = {"area": area, "household": household, "disposition": "agreed", "campaign": DRIVE}
    return client.capture("visit_recorded", body)


def an_enrolment(client, household, name="Phạm Văn Sáu", scheme="voluntary") -> str:
    person = client.capture("person_registered", {"household": household, "full_name": name})
    body = {"area": SHARED, "person": person, "scheme": scheme, "status": "new"}
    month = {"from_month": "2026-12"} if client.protocol > 1 else {"from_day": "2026-12-01"}
    body |= {**month, "months": 3, "amount_due_vnd": 300_000, "campaign": DRIVE}
    return client.capture("enrolment_recorded", body)


def standing(world, receipt) -> str:
    return httpx.get(f"{world.serving.url}/api/v1/receipts/{receipt['digits']}").json()["standing"]


def test_two_clients_that_share_no_code_see_each_others_work(world, tmp_path):
    """[P4] [S1] Both ask until every scope stands at its head, and both ends' sums are equal there."""
    second = world.second
    with FieldClient(tmp_path / "field", sleep=lambda _seconds: None) as field:
        field.enrol(world.serving.url, world.office.enrolment_code("an"))
        theirs = field.actions.register_household(area=SHARED, head_name="Hộ Một", address="1 Lê Lợi")
        field.actions.record_visit(household=theirs, disposition="refused", campaign=DRIVE)
        assert field.sync().is_clean
        ours = a_household(second)
        visit = a_visit(second, ours)
        second.sync()
        assert second.is_synced
        a_visit(second, theirs)
        second.sync()
        assert set(second.records("household")) == {ours, theirs}
        assert second.records("household")[theirs]["head_name"] == "Hộ Một"
        assert {v["disposition"] for v in second.records("visit").values()} == {"agreed", "refused"}
        assert (field.sync().is_clean, second.is_synced) == (True, True)
        assert set(field.replica.records("household")) == {ours, theirs}
        assert field.replica.records("visit").keys() == second.records("visit").keys()
        # Both end at the same bytes of every shared record.
        assert field.replica.records("household") == second.records("household")
        second.capture("entry_voided", {"target": visit, "reason": "nhầm nhà"})
        second.sync()
        assert field.sync().is_clean
        assert visit not in second.records("visit")
        assert visit not in field.replica.records("visit")
        assert (second.fate(visit), second.is_synced) == ("voided", True)
    assert problems_of(world.office) == []


def test_edits_of_both_clients_meet_and_end_alike(world, tmp_path):
    """[M1] The base is the last entry that the device sees, own or pulled."""
    second = world.second
    household = a_household(second)
    second.amend("household", household, head_name="Hộ Năm A")
    second.sync()
    with FieldClient(tmp_path / "field", sleep=lambda _seconds: None) as field:
        field.enrol(world.serving.url, world.office.enrolment_code("an"))
        field.sync()
        field.actions.amend_household(household, head_name="Của An", hamlet="Ấp 1")
        field.sync()
        # After that sync, so that no delay on the line can make the other edit's latest time later.
        late = second.amend("household", household, head_name="Của Bình", address="9 Ấp Bắc")
        second.sync()
        field.sync()
        assert second.fate(late) == "merged"
        seen = second.records("household")[household]
        assert (seen["head_name"], seen["hamlet"], seen["address"]) == ("Của Bình", "Ấp 1", "9 Ấp Bắc")
        assert field.replica.records("household")[household] == seen
        # In sight of everything, so it conflicts with nothing.
        last = second.amend("household", household, head_name="Của cả hai")
        second.sync()
        assert second.fate(last) == "applied"
    assert problems_of(world.office) == []


def test_a_device_of_version_1_and_its_successor_of_version_2_do_the_same_work(world):
    """[V4] Served side by side. [V3] What version 1 captured is carried over byte for byte."""
    first = world.open("first.json", protocol=1)
    first.enrol(world.serving.url, world.office.enrolment_code("binh"))
    enrolment = an_enrolment(first, a_household(first))
    first.sync()
    late = an_enrolment(first, a_household(first, "Hộ Sáu"))
    paid = first.collect([(enrolment, 100_000)], "voluntary")
    assert first.is_synced is False
    first.__exit__()
    updated = world.open("first.json")
    updated.enrol(world.serving.url, world.office.enrolment_code("binh"))
    updated.sync()
    assert [updated.fate(each) for each in (enrolment, late, paid["payment"])] == ["applied"] * 3
    assert updated.is_synced
    assert updated.records("enrolment")[enrolment]["from_day"] == "2026-12-01"
    assert standing(world, paid) == "reconciled"
    assert problems_of(world.office) == []


def test_receipts_made_at_the_door_verify_before_and_after_they_arrive(world):
    """[T4] [T10] Payment and receipt in one write; what the token says is what the office finds."""
    second = world.second
    household = a_household(second)
    first = second.collect([(an_enrolment(second, household), 300_000)], "voluntary")
    assert standing(world, first) == "unknown"
    second.sync()
    later = second.collect([(an_enrolment(second, household, "Võ Thị Bảy", "health"), 500_000)], "health")
    voided = second.void_payment(later["payment"], "trả lại tiền")
    second.sync()
    found = [standing(world, receipt) for receipt in (first, later, voided)]
    assert found == ["reconciled", "voided", "reconciled"]
    flags = [known["flags"] for known in second.state["fates"].values()]
    assert {flag for each in flags for flag in each} & {"receipt_gap", "receipt_link_broken"} == set()
    kinds = rows(world.office, "SELECT counter, kind, state, amount_vnd FROM receipt ORDER BY counter")
    assert kinds == [
        (1, 1, "reconciled", 300_000),
        (2, 2, "voided", 500_000),
        (3, 9, "reconciled", 500_000),
    ]
    assert {(r["counter"], r["state"]) for r in second.records("receipt").values()} == {
        (1, "reconciled"),
        (2, "voided"),
        (3, "reconciled"),
    }
    assert first["qr_text"].startswith("http://localhost:8000/r/")
    page = httpx.get(f"{world.serving.url}/r/{first['digits']}")
    assert (page.status_code, "300.000" in page.text) == (200, True)
    assert (cash_of(world.office, "binh"), second.is_synced) == (300_000, True)
    assert problems_of(world.office) == []


def test_a_lost_answer_and_somebody_elses_answers_cost_nothing(world):
    """[R2.1] The same push, with more behind it, gets the original verdicts.

    [W6] A captive portal's 200 acknowledges nothing.
    [W7] A busy server is waited for: at least as long as it asks.
    """
    second, line = world.second, world.line
    visit = a_visit(second, a_household(second))
    for weather in ("down", "portal", "redirect", "lost"):
        line.weather = [weather]
        with pytest.raises(LineDownError):
            second.sync()
        assert (second.state["acked"], second.fate(visit)) == (0, None)
    assert [verdict for _, verdict in world.entries_of(second)] == ["applied", "applied"]
    a_visit(second, json.loads(second.state["journal"][0])["id"])
    line.weather = ["busy", "busy"]
    second.sync()
    assert len(line.batches[-2 if not line.batches[-1] else -1]) == 3
    assert [verdict for _, verdict in world.entries_of(second)] == ["applied"] * 3
    assert (second.fate(visit), second.is_synced) == ("applied", True)
    assert len(world.naps) == 2
    assert min(world.naps) >= 7
    assert problems_of(world.office) == []


def test_a_lost_enrolment_answer_gets_the_same_number_again(world):
    """[N2] The same request again gets the same certificate. [N3] Key and id were remembered before."""
    code = world.office.enrolment_code("binh")
    client = world.open("third.json")
    world.line.weather = ["lost"]
    with pytest.raises(LineDownError):
        client.enrol(world.serving.url, code)
    assert count(world.office, "installation") == 2
    client.enrol(world.serving.url, code)
    assert count(world.office, "installation") == 2
    client.sync()
    assert client.is_synced


def test_many_entries_go_in_batches_and_a_batch_too_large_is_halved(world):
    """[R9.4] 413: the client halves its batch and tries again. [Q2] The pull goes with the last batch."""
    second = world.second
    household = a_household(second)
    visits = [a_visit(second, household) for _ in range(40)]
    world.line.most_entries = 6
    second.sync()
    sizes = [len(batch) for batch in world.line.batches if batch]
    assert (sum(sizes), max(sizes)) == (41, 5)
    assert {second.fate(visit) for visit in visits} == {"applied"}
    assert second.is_synced
    with pytest.raises(NotCapturableError):
        second.capture("visit_recorded", {"area": SHARED, "household": household, "note": "à" * 501})
    assert second.head == 41


def test_a_gap_is_answered_by_sending_from_there(world):
    """[R4.2] The device resends from `expected_seq`, whatever it believed that the office has."""
    second = world.second
    household = a_household(second)
    second.sync()
    visits = [a_visit(second, household) for _ in range(3)]
    with second._written() as state:
        state["acked"] = 3
    second.sync()
    assert {second.fate(visit) for visit in visits} == {"applied"}
    assert [verdict for _, verdict in world.entries_of(second)] == ["applied"] * 4
    assert problems_of(world.office) == []


def test_a_tablet_set_back_by_a_copy_is_fenced_enrols_again_and_doubles_nothing(world):
    """[R3.1] A fork is fenced; [R3.4] everything is carried over; [R3.5] what came before is a duplicate."""
    second, office = world.second, world.office
    household = a_household(second)
    second.sync()
    copy = world.copy(second, "copy.json")
    paid = second.collect([(an_enrolment(second, household), 300_000)], "voluntary")
    second.sync()
    other = an_enrolment(copy, household, "Đỗ Thị Tám")
    at_the_copy = copy.collect([(other, 200_000)], "voluntary")
    with pytest.raises(RefusedError, match="journal_forked"):
        copy.sync()
    with pytest.raises(RefusedError, match="journal_forked"):
        copy.sync()
    with pytest.raises(RefusedError, match="installation_fenced"):
        second.sync()
    assert cash_of(office, "binh") == 300_000
    before, journal = copy.state["installation"], list(copy.state["journal"])
    copy.enrol(world.serving.url, office.enrolment_code("binh"))
    copy.sync()
    assert (copy.state["predecessor"], copy.state["journal"]) == (before, journal)
    verdicts = [verdict for _, verdict in world.entries_of(copy)]
    # Two honest copies used one receipt number: both are kept, the later one for a person to judge.
    assert verdicts == ["duplicate", "applied", "applied", "applied", "quarantined"]
    assert copy.fate(household) == "applied"
    assert cash_of(office, "binh") == 500_000
    after = copy.collect([(other, 100_000)], "voluntary")
    copy.sync()
    assert standing(world, paid) == "reconciled"
    assert standing(world, at_the_copy) == "quarantined"
    assert standing(world, after) == "reconciled"
    assert not copy.is_synced
    assert state_of(office, before) == "superseded"
    assert incidents(office)["journal_forked"] == 1
    assert rows(office, "SELECT count(*), sum(amount_vnd) FROM receipt WHERE kind = 1") == [(3, 600_000)]
    # The auditor finds every payment posted once and all that was received judged once.
    assert (cash_of(office, "binh"), problems_of(office)) == (600_000, [])


def test_a_copy_that_recorded_nothing_hears_of_an_acknowledgement_beyond_its_head(world):
    """[R10.2] An `acked_seq` beyond the own head: stop, keep everything, enrol again: nothing is lost."""
    second = world.second
    household = a_household(second)
    second.sync()
    copy = world.copy(second, "copy.json")
    a_visit(second, household)
    second.sync()
    with pytest.raises(RefusedError, match="copy"):
        copy.sync()
    assert (copy.head, copy.state["acked"]) == (1, 1)
    copy.enrol(world.serving.url, world.office.enrolment_code("binh"))
    a_visit(copy, household)
    copy.sync()
    assert (copy.is_synced, len(copy.records("visit"))) == (True, 2)
    with pytest.raises(RefusedError, match="installation_superseded"):
        second.sync()
    second.enrol(world.serving.url, world.office.enrolment_code("binh"))
    second.sync()
    assert [verdict for _, verdict in world.entries_of(second)] == ["duplicate", "duplicate"]
    assert (second.is_synced, len(second.records("visit"))) == (True, 2)
    assert problems_of(world.office) == []


def test_what_refers_to_the_unseen_waits_and_its_outcome_arrives_by_pull(world, tmp_path):
    """[R7.1] Held until the referent is in effect. [R2.2] The outcome reaches the device by pull."""
    second = world.second
    with FieldClient(tmp_path / "field", sleep=lambda _seconds: None) as field:
        field.enrol(world.serving.url, world.office.enrolment_code("an"))
        theirs = field.actions.register_household(area=SHARED, head_name="Hộ Một", address="1 Lê Lợi")
        visit = a_visit(second, theirs)
        second.sync()
        assert second.fate(visit) == "held"
        field.sync()
    second.sync()
    assert (second.fate(visit), second.is_synced) == ("applied", True)
    wrong = a_visit(second, theirs, area="99999@2004-01-01")
    second.sync()
    assert (second.fate(wrong), second.is_synced) == ("quarantined", False)


def test_the_offline_cap_closes_the_form(world):
    """[T12] At 200 receipts that nobody has acknowledged, no new collection form opens."""
    second = world.second
    household = a_household(second)
    enrolment = an_enrolment(second, household)
    second.collect([(enrolment, 1_000)], "voluntary")
    assert not second.is_cap_reached()
    with second._written() as state:
        [receipt] = state["receipts"]
        state["receipts"] += [receipt | {"payment": str(uuid.uuid4())} for _ in range(199)]
    with pytest.raises(NotCapturableError):
        second.collect([(enrolment, 1_000)], "voluntary")
