"""The commands, as an agent types them."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from field_client.cli import main
from field_client.client import FieldClient
from field_client.receipts import OfflineCap

AREA = "28249@2004-01-01"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture
def run(field):
    def opener(home):
        return FieldClient(
            home,
            clock=field.clock,
            transport=field.server.transport,
            sleep=field.waits.append,
            cap=OfflineCap(receipts=2),
        )

    def invoke(*arguments, expect=0, lang="vi"):
        options = ["--home", str(field.folder / "cli"), "--lang", lang]
        result = CliRunner().invoke(main, [*options, *arguments], obj=opener)
        assert result.exit_code == expect, (result.output, result.exception)
        return result.output

    return invoke


def saved_id(output):
    return UUID.search(output).group()


def enrol(field, run):
    return run("enrol", field.server.new_code(), "--server", "https://office.example")


def test_a_day_at_the_doors(field, run):
    assert "04807" in enrol(field, run)
    household = saved_id(run("household", "--area", AREA, "--head-name", "Trần Văn Hộ", "--address", "ấp 1"))
    person = saved_id(
        run(
            "person",
            "--full-name",
            "Lê Thị Bé",
            "--household",
            household[-8:],
            "--national-id",
            "999188000001",
        )
    )
    run("visit", household[-8:], "agreed", "--campaign", "7")
    run("install", person[-8:], "--state", "in_use", "--evidence", "seen_on_screen")
    enrolment = saved_id(
        run(
            *("ghi-danh", person[-8:], "--scheme", "voluntary", "--from-month", "2020-06"),
            *("--months", "3", "--amount-due", "415800", "--campaign", "7"),
        )
    )
    collected = run("collect", enrolment[-8:])
    assert "415.800 đ" in collected
    assert "20-04807-00000001" in collected
    assert "https://tn.example/r/1" in collected
    assert "█" in collected
    before = run("status")
    assert re.search(r"Chưa đồng bộ +7", before)
    assert "chưa lần nào" in before
    assert "Đã đồng bộ" in run("sync")
    after = run("status", lang="en")
    assert re.search(r"Not synced +0", after)
    assert "applied 7" in after
    assert "20-04807-00000001" in run("receipt", "1")
    assert "20-04807-00000002" in run("void", "20-04807-00000001", "--reason", "thu nhầm")
    assert "Trần Văn Hộ" in run("list", "household")
    assert "00000002" in run("list", "receipt")


def test_nothing_is_called_synced_while_an_entry_needs_a_person(field, run):
    """[A3] No «Đã đồng bộ» while an entry is quarantined."""
    enrol(field, run)
    field.server.quarantine_kinds["household_registered"] = "area_unknown"
    run("household", "--area", AREA, "--head-name", "Hộ", "--address", "ấp 1")
    output = run("sync", expect=3)
    assert "Đã đồng bộ" not in output
    assert "Cần người xem: 1 mục" in output
    assert "Văn phòng không có địa bàn này" in " ".join(output.split())
    assert "area" in run("status", lang="en")


def test_a_possible_duplicate_is_warned_of_before_it_is_made(field, run):
    enrol(field, run)
    run("household", "--area", AREA, "--head-name", "Trần Văn Hộ", "--address", "ấp 1")
    again = ("household", "--area", AREA, "--head-name", "tran van  ho", "--address", "ấp 1")
    assert "Có thể trùng" in run(*again, expect=1)
    run(*again, "--anyway")


def test_a_reached_cap_closes_the_form_but_not_for_money_already_taken(field, run):
    """[T12] Cash already taken can always be recorded."""
    enrol(field, run)
    person = saved_id(run("person", "--full-name", "Lê Thị Bé", "--area", AREA))
    enrolment = saved_id(
        run(
            *("enrolment", person, "--scheme", "health", "--from-month", "2020-06"),
            *("--months", "3", "--amount-due", "1000"),
        )
    )
    run("collect", enrolment)
    assert "Sắp tới hạn mức" not in run("collect", enrolment)
    assert "hạn mức ngoại tuyến" in run("collect", enrolment, expect=1)
    run("collect", enrolment, "--already-taken")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("status",), "chưa đăng ký"),
        (("sync",), "chưa đăng ký"),
        (("enrol", "ma"), "--server"),
        (("enrol", "ma", "--server", "http://office.example"), "https"),
        (("enrol", "mã sai!", "--server", "https://office.example"), "không đúng mẫu"),
        (("enrol", "ma", "--server", "https://office.example"), "Mã đăng ký sai"),
    ],
)
def test_an_expected_error_is_one_sentence(run, arguments, text):
    output = run(*arguments, expect=1)
    assert text in output
    assert "Traceback" not in output


def test_a_refused_value_is_named_by_its_field_and_never_repeated(field, run):
    enrol(field, run)
    output = run("person", "--full-name", "Bé", "--area", AREA, "--national-id", "12345", expect=1)
    assert "national_id" in output
    assert "12345" not in output


def test_a_cloned_device_is_told_to_enrol_again_and_can(field, run):
    enrol(field, run)
    run("household", "--area", AREA, "--head-name", "Hộ", "--address", "ấp 1")
    (known,) = field.server.installations.values()
    known.state = "fenced"
    assert "bị nhân bản, cần đăng ký lại" in " ".join(run("sync", expect=1).split())
    assert "mang theo 1 mục" in run("enrol", "--again", field.server.new_code())
    assert "Đã đồng bộ" in run("sync")


def test_what_was_sent_back_is_listed_with_its_reason_and_answered(field, run):
    """[D7] Listed, each with its reason, until it has answered."""
    enrol(field, run)
    assert "Không có mục nào bị trả lại" in run("returned")
    household = saved_id(run("household", "--area", AREA, "--head-name", "Trần Văn Hộ", "--address", "ấp 1"))
    field.server.quarantine_kinds = {"household_registered": "area_unknown"}
    run("sync", expect=3)
    outcome = {"state": "quarantined", "code": "area_unknown", "field": "area"}
    field.server.put(
        "agent:w1", "outcome", household, outcome | {"reason": "Sai mã địa bàn", "returned_ms": 1}
    )
    field.server.granted.add("agent:w1")
    run("sync", expect=3)
    shown = run("returned")
    assert "Văn phòng trả lại: Sai mã địa bàn" in shown
    assert household in shown
    run("answer", household, expect=1)
    run("answer", household, "--by", household, "--withdrawn", expect=1)
    run("answer", "nothing", "--withdrawn", expect=1)
    run("answer", household[-8:], "--withdrawn", "--note", "Ghi nhầm")
    assert "Không có mục nào bị trả lại" in run("returned")


def test_a_consent_is_recorded_by_purpose(field, run):
    enrol(field, run)
    household = saved_id(run("household", "--area", AREA, "--head-name", "Trần Văn Hộ", "--address", "ấp 1"))
    person = saved_id(run("person", "--full-name", "Lê Thị Bé", "--household", household))
    run("consent", person, "renewal_reminders", "--evidence", "signed_paper")
    run("consent", person, "renewal_reminders", "--decision", "withdrawn")
    run("consent", person, "anything", expect=2)
    assert re.search(r"Not synced +4", run("status", lang="en"))


def test_without_rate_tables_an_amount_has_to_be_given(field, run):
    enrol(field, run)
    household = saved_id(run("household", "--area", AREA, "--head-name", "Trần Văn Hộ", "--address", "ấp 1"))
    person = saved_id(run("person", "--full-name", "Lê Thị Bé", "--household", household))
    terms = ("enrolment", person, "--scheme", "voluntary", "--from-month", "2020-06", "--months", "3")
    assert "income_vnd" in run(*terms, expect=1)
    full = (*terms, "--income", "1000000", "--category", "other")
    assert "--amount-due" in run(*full, expect=1)
    saved_id(run(*full, "--amount-due", "613800"))
