"""A real server process killed with -9 five times, and a real client in processes of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from field_client.client import FieldClient
from field_client.exchange import ServerBusyError
from field_client.transport import LineDownError
from sync.clock import SystemClock
from tests.end_to_end.serving import Serving
from tests.support.office_checks import cash_of, count, problems_of, rows
from tests.support.small_office import COMMUNES, DRIVE, small_office

PLACES = ("judged", "written", "committed", "written", "judged")
_ROOT = Path(__file__).parents[2]


@pytest.fixture
def office(any_database):
    with small_office(any_database, SystemClock()) as office:
        yield office
        office.runtime.transactions.engine.dispose()


@pytest.fixture
def serving(any_database, office, tmp_path):
    serving = Serving(any_database, tmp_path)
    yield serving
    serving.close()


def work(client: FieldClient, number: int) -> None:
    """Capture what one door gives, in six entries."""
    actions = client.actions
    household = actions.register_household(area=COMMUNES[0], head_name=f"Chủ {number}", address="1 Lê Lợi")
    person = actions.register_person(
        full_name="Lê Thị Bưởi", household=household, national_id=f"0001900000{number:02d}"
    )
    actions.record_visit(household=household, disposition="agreed", campaign=DRIVE)
    enrolment = actions.record_enrolment(
        person=person,
        scheme="voluntary",
        status="new",
        from_month="2026-06",
        months=3,
        amount_due_vnd=300_000,
        campaign=DRIVE,
    )
    actions.collect_payment([(enrolment, 300_000)])


def sync_into_the_kill(client: FieldClient, serving: Serving, place: str) -> None:
    """Sync in this thread while another one waits until the push stands at `place`, then kills."""
    serving.order.write_text(place, encoding="ascii")

    def kill_there() -> None:
        until = time.monotonic() + 30
        while serving.order.read_text(encoding="ascii") and time.monotonic() < until:
            time.sleep(0.01)
        serving.kill()

    killer = threading.Thread(target=kill_there)
    killer.start()
    with pytest.raises((LineDownError, ServerBusyError)):
        client.sync()
    killer.join()
    assert serving.order.read_text(encoding="ascii") == "", f"the push never came to {place}"


def test_after_five_kills_inside_a_push_everything_arrived_exactly_once(office, serving, tmp_path):
    """[R1.1] One transaction: the batch is wholly there or wholly absent.

    [R1.2] No answer before the commit: killed before it, the client heard nothing.
    [R2.1] The retry gets the stored verdicts, after any restart.
    """
    with FieldClient(tmp_path / "tablet", sleep=lambda _seconds: None) as client:
        client.enrol(serving.url, office.enrolment_code("an"))
        for number, place in enumerate(PLACES):
            before = count(office, "entry")
            work(client, number)
            sync_into_the_kill(client, serving, place)
            assert count(office, "entry") == before + (6 if place == "committed" else 0)
            serving.start()
            report = client.sync()
            assert (report.is_clean, report.verdicts) == (True, {"applied": 6})
            assert count(office, "entry") == 6 * (number + 1)
    assert cash_of(office) == 5 * 300_000
    assert rows(office, "SELECT state, count(*) FROM receipt GROUP BY state") == [("reconciled", 5)]
    assert problems_of(office) == []
    verified = serving.run("quotas", "verify")
    assert verified.returncode == 0, verified.stderr
    assert "voluntary_enrolled" not in verified.stdout


def test_the_desk_client_does_a_whole_day_through_its_command(office, serving, tmp_path):
    """Enrol, household, person, visit, enrolment, payment, sync, receipt: each in a process of its own."""

    def field(*arguments: str) -> str:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from field_client.cli import main; main()",
                "--home",
                str(tmp_path / "home"),
                "--lang",
                "en",
                *arguments,
            ],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def saved(*arguments: str) -> str:
        found = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", field(*arguments).replace("\n", ""))
        assert found is not None
        return found[0]

    field("enrol", office.enrolment_code("an"), "--server", serving.url)
    household = saved(
        "household", "--area", COMMUNES[0], "--head-name", "Lê Văn Tám", "--address", "12 Hùng Vương"
    )
    person = saved("person", "--full-name", "Lê Thị Bưởi", "--household", household)
    saved("visit", household, "agreed")
    enrolment = saved(
        *("enrolment", person, "--scheme", "health", "--from-month", "2026-12"),
        *("--months", "12", "--amount-due", "972000"),
    )
    collected = field("collect", enrolment)
    number = re.search(r"\d\d-\d{5}-\d{8}", collected)
    assert number is not None, collected
    field("sync")
    assert number[0] in field("receipt", number[0])
    assert rows(office, "SELECT state, amount_vnd FROM receipt") == [("reconciled", 972_000)]
    assert cash_of(office) == 972_000
    assert problems_of(office) == []
