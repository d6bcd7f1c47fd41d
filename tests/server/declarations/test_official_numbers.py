"""The insurer's numbers beside our receipts: given once, corrected by a new row with its reason."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest
from sqlalchemy.exc import IntegrityError

from server.audit.changes import Actor
from server.cli import main
from server.receipts.actions import (
    OfficialGiven,
    OfficialRefusedError,
    give_official_number,
    receipt_of_number,
)
from tests.server.declarations.enrolled import EnrolledOffice, enrolled_office
from tests.support.office_checks import rows
from tests.support.staff import form_token, log_in

PAGE, DAYS = "/declarations/receipts", "from=2020-05-01&to=2020-05-31"
ALL_ROWS = "SELECT installation, counter, series, number, reason, superseded_by IS NULL FROM official_number"
REASON = "Chép nhầm số ở cuống biên lai"


@pytest.fixture
def enrolled(tmp_path):
    with enrolled_office(f"sqlite:///{tmp_path / 'office.sqlite3'}") as found:
        yield found
        found.office.runtime.transactions.engine.dispose()


def give(enrolled: EnrolledOffice, key: str, series: str, number: str, reason: str | None = None) -> None:
    printed = enrolled.receipts.get(key, key)

    def work(change) -> None:
        receipt = receipt_of_number(change, printed)
        given = OfficialGiven(printed, series, number, reason)
        give_official_number(change, enrolled.office.runtime.ids, receipt, given)

    enrolled.office.change(work)


def refusal(enrolled: EnrolledOffice, *arguments: str | None) -> str:
    with pytest.raises(OfficialRefusedError) as refused:
        give(enrolled, *arguments)
    return str(refused.value.code)


def standing(enrolled: EnrolledOffice) -> list[tuple]:
    return sorted(row[2:4] for row in rows(enrolled.office, ALL_ROWS) if row[5])


def test_a_number_is_taken_down_with_its_zeros_and_audited(enrolled):
    give(enrolled, "whole", " aa/20e ", "0000123")
    assert standing(enrolled) == [("AA/20E", "0000123")]
    [(subject, detail)] = rows(
        enrolled.office, "SELECT subject, detail FROM audit_row WHERE action = 'official_number_given'"
    )
    assert subject == "1-1"
    assert '"number":"0000123"' in detail


def test_a_second_number_is_refused_unless_it_corrects_the_first(enrolled):
    give(enrolled, "whole", "AA/20E", "123")
    assert refusal(enrolled, "whole", "AA/20E", "124") == "receipt_has_a_number"
    assert refusal(enrolled, "whole", "AA/20E", "124", "nhầm") == "reason_missing"
    assert standing(enrolled) == [("AA/20E", "123")]
    give(enrolled, "whole", "AA/20E", "124", REASON)
    assert standing(enrolled) == [("AA/20E", "124")]
    # What stood before stays, marked as corrected.
    assert (1, 1, "AA/20E", "123", None, 0) in rows(enrolled.office, ALL_ROWS)


def test_a_number_of_a_series_is_one_receipts_alone_whatever_zeros_it_has(enrolled):
    give(enrolled, "whole", "AA/20E", "0000123")
    assert refusal(enrolled, "formula", "AA/20E", "123") == "official_number_taken"
    give(enrolled, "formula", "BB/20E", "0000123")
    assert standing(enrolled) == [("AA/20E", "0000123"), ("BB/20E", "0000123")]


def test_two_numbers_that_were_swapped_are_put_right_by_way_of_none(enrolled):
    give(enrolled, "whole", "AA/20E", "1")
    give(enrolled, "formula", "AA/20E", "2")
    assert refusal(enrolled, "whole", "AA/20E", "2", REASON) == "official_number_taken"
    give(enrolled, "whole", "", "", REASON)
    give(enrolled, "formula", "AA/20E", "1", REASON)
    give(enrolled, "whole", "AA/20E", "2", REASON)
    assert standing(enrolled) == [("AA/20E", "1"), ("AA/20E", "2")]
    assert len(rows(enrolled.office, ALL_ROWS)) == 5


def test_a_correction_needs_something_to_correct(enrolled):
    assert refusal(enrolled, "whole", "AA/20E", "1", REASON) == "nothing_to_correct"


@pytest.mark.parametrize("printed", ["20-00001-00009999", "không phải số", ""])
def test_what_is_no_receipt_takes_no_number(enrolled, printed):
    assert refusal(enrolled, printed, "AA/20E", "1") == "no_such_receipt"


@pytest.mark.parametrize(
    ("series", "number"), [("", "1"), ("AA", ""), ("A A", "1"), ("AA", "1a"), ("AA", "٣")]
)
def test_what_is_no_series_or_number_is_refused(enrolled, series, number):
    assert refusal(enrolled, "whole", series, number) == "official_number_malformed"


def test_the_table_itself_keeps_a_number_from_standing_twice(enrolled):
    """Two people on PostgreSQL may look at once; then the key decides."""
    give(enrolled, "whole", "AA/20E", "1")
    columns = "installation, counter, content_digest, series, number, number_value, actor, at_ms"
    with pytest.raises(IntegrityError), enrolled.office.runtime.transactions.writing() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO official_number (id, {columns}) SELECT 'x', 9, 9, 'x', series, number,"
            " number_value, actor, at_ms FROM official_number"
        )


def test_the_receipts_page_shows_it_and_the_token_stays_as_it_was(enrolled):
    [(token,)] = rows(enrolled.office, "SELECT token FROM receipt WHERE installation = 1 AND counter = 1")
    client = enrolled.office.app.test_client()
    assert "AA/20E 0000123" not in client.get(f"/r/{token}").get_data(as_text=True)
    before = client.get(f"/api/v1/receipts/{token}").json
    give(enrolled, "whole", "AA/20E", "0000123")
    page = client.get(f"/r/{token}").get_data(as_text=True)
    assert "Số biên lai của cơ quan BHXH" in page
    assert "AA/20E 0000123" in page
    assert client.get(f"/api/v1/receipts/{token}").json == before


def test_it_stands_beside_ours_in_the_lists_and_in_the_book(enrolled):
    give(enrolled, "whole", "AA/20E", "0000123")
    client = enrolled.office.app.test_client()
    log_in(client, "quanly")
    answer = client.get(f"/declarations/d05.xlsx?{DAYS}")
    header, *lines = openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True)
    found = {line[1]: dict(zip(header, line, strict=True)) for line in lines}
    assert found["Trần Thị Ánh"]["Số biên lai của cơ quan BHXH"] == "AA/20E 0000123"
    assert found["Vũ Thị Hoa"]["Số biên lai của cơ quan BHXH"] is None
    text = client.get(f"{PAGE}.csv?{DAYS}").data.decode("utf-8-sig")
    book = {row[0]: row for row in csv.reader(io.StringIO(text))}
    assert book[enrolled.receipts["whole"]][-2:] == ["AA/20E", "0000123"]
    assert book[enrolled.receipts["wrong"]][-2:] == ["", ""]
    missing = client.get(f"{PAGE}.csv?{DAYS}&show=missing").data.decode("utf-8-sig")
    assert enrolled.receipts["whole"] not in missing
    assert enrolled.receipts["wrong"] in missing


def posted(client, **fields: str):
    fields["csrf_token"] = form_token(client, f"{PAGE}?{DAYS}")
    return client.post(f"{PAGE}?{DAYS}", data=fields)


def test_the_page_takes_a_number_down_and_tells_in_words_why_not(enrolled):
    client, receipt = enrolled.office.app.test_client(), enrolled.receipts["whole"]
    log_in(client, "quanly")
    assert posted(client, receipt=receipt, series="AA/20E", number="1").status_code == 303
    again = posted(client, receipt=receipt, series="AA/20E", number="2")
    assert again.status_code == 409
    text = again.get_data(as_text=True)
    assert "Biên lai này đã có số" in text
    assert 'name="reason"' in text
    assert posted(client, receipt=receipt, series="", number="", reason=REASON).status_code == 303
    assert standing(enrolled) == [(None, None)]


def test_an_auditor_looks_and_takes_nothing_down(enrolled):
    client = enrolled.office.app.test_client()
    log_in(client, "kiemtoan")
    page = client.get(f"{PAGE}?{DAYS}").get_data(as_text=True)
    assert enrolled.receipts["whole"] in page
    assert 'name="series"' not in page
    token = form_token(client, "/board")
    fields = {"receipt": enrolled.receipts["whole"], "series": "A", "number": "1", "csrf_token": token}
    assert client.post(PAGE, data=fields).status_code == 403


def test_a_supervisor_sees_the_receipts_of_the_own_agents_alone(enrolled):
    client = enrolled.office.app.test_client()
    log_in(client, "giamsat")
    text = client.get(f"{PAGE}.csv?{DAYS}").data.decode("utf-8-sig")
    assert enrolled.receipts["whole"] not in text


def test_the_command_gives_and_corrects(enrolled, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from tests.support.offices import office_environment

    for name, value in office_environment(f"sqlite:///{tmp_path / 'office.sqlite3'}").items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str):
        return CliRunner().invoke(main, ["official-number", *arguments, "--by", "quanly"])

    receipt = enrolled.receipts["whole"]
    assert run(receipt, "AA/20E", "0000123").exit_code == 0
    refused = run(receipt, "AA/20E", "0000124")
    assert (refused.exit_code, "receipt_has_a_number" in refused.output) == (1, True)
    assert run(receipt, "AA/20E", "0000124", "--correct", REASON).exit_code == 0
    assert standing(enrolled) == [("AA/20E", "0000124")]
    [chain] = {row[0] for row in rows(enrolled.office, "SELECT actor FROM official_number")}
    assert chain != Actor("job:command_line").chain
