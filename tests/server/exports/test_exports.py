"""Every table of the pages as a file: the same rows, the same sight, and an audit of personal data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import openpyxl
import pytest

from server.access.permissions import ROUTES
from tests.server.imports.builders import a_household, checked, imported
from tests.support.desk import a_supervisor
from tests.support.office_checks import rows
from tests.support.small_office import LAUNCH_DAY
from tests.support.staff import log_in
from tests.support.watched_office import WatchedOffice, watched_office


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[WatchedOffice]:
    path = tmp_path_factory.mktemp("exports") / "office.sqlite3"
    with watched_office(f"sqlite:///{path}") as watched:
        office = watched.office
        names = [a_household(1), a_household(2, head_name="=SUM(A1)", address="-12 hẻm")]
        imported(office.runtime, a_supervisor(office), "households", *names)
        yield watched
        office.runtime.transactions.engine.dispose()


@pytest.fixture
def client(watched):
    client = watched.office.app.test_client()
    assert log_in(client, "quanly").status_code == 303
    return client


def xlsx(client, address: str) -> list[tuple]:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return list(openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))


def comma_separated(client, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def addresses(watched) -> list[str]:
    an = watched.office.agents["an"]
    return [
        f"/exports/board.FORMAT?campaign={LAUNCH_DAY}&indicator=voluntary_enrolled&holder=agent",
        f"/exports/agents/{an}/entries.FORMAT",
        f"/exports/agents/{an}/credits.FORMAT",
        "/exports/devices.FORMAT",
        "/exports/incidents.FORMAT",
        "/exports/quarantine.FORMAT",
        "/exports/conflicts.FORMAT",
        "/exports/duplicates.FORMAT",
        "/exports/distinct.FORMAT",
        f"/exports/statements.FORMAT?campaign={LAUNCH_DAY}",
        "/exports/households.FORMAT",
        "/exports/full/households.FORMAT",
    ]


def test_each_table_has_the_same_cells_as_xlsx_and_as_csv(client, watched):
    filled = 0
    for address in addresses(watched):
        book = xlsx(client, address.replace("FORMAT", "xlsx"))
        text = comma_separated(client, address.replace("FORMAT", "csv"))
        shown = [["" if c is None else str(getattr(c, "date", lambda c=c: c)()) for c in row] for row in book]
        assert shown == text, address
        filled += len(book) > 1
    assert filled >= 7


def test_a_file_has_all_pages_of_its_table(client, watched):
    an = watched.office.agents["an"]
    [(entries,)] = rows(
        watched.office,
        "SELECT count(*) FROM entry e JOIN installation i ON i.id = e.installation_id "
        "WHERE i.worker_id = :an",
        an=an,
    )
    assert entries > 50
    assert len(xlsx(client, f"/exports/agents/{an}/entries.xlsx")) == entries + 1


def test_words_are_in_the_readers_language(client):
    assert xlsx(client, "/exports/devices.xlsx?lang=vi")[0][0] == "Nhân viên"
    assert xlsx(client, "/exports/devices.xlsx?lang=en")[0][0] == "Agent"


def test_what_looks_like_a_formula_is_defused_and_imported_again_as_it_was(client, watched):
    found = {row[0]: row for row in xlsx(client, "/exports/full/households.xlsx")}
    assert found["H00002"][2:4] == ("'=SUM(A1)", "'-12 hẻm")
    sheet = [
        dict(
            zip(("code", "area_code", "head_name", "address", "hamlet", "phone", "members"), row, strict=True)
        )
        for code, row in found.items()
        if code and code.startswith("H0")
    ]
    again = checked(watched.office.runtime, "households", *sheet)
    assert (again.faults, again.fates["keep"]) == ([], 2)


def test_numbers_are_masked_but_for_those_who_may_have_them(client, watched):
    masked = {row[0]: row[5] for row in xlsx(client, "/exports/households.xlsx")}
    full = {row[0]: row[5] for row in xlsx(client, "/exports/full/households.xlsx")}
    assert (masked["H00001"], full["H00001"]) == ("••••••0001", "0900000001")
    assert ROUTES["exports.households_full"].permission != ROUTES["exports.households"].permission


def test_a_file_of_personal_data_is_audited_before_it_leaves(client, watched):
    audited = "SELECT subject FROM audit_row WHERE action = 'table_exported'"
    before = len(rows(watched.office, audited))
    for name in ("duplicates", "distinct", "conflicts", "households", "full/households", "devices"):
        client.get(f"/exports/{name}.csv")
    found = [subject for (subject,) in rows(watched.office, audited)][before:]
    assert sorted(found) == ["conflicts", "distinct", "duplicates", "households", "households_full"]


def test_who_sees_one_area_exports_no_other(watched):
    client = watched.office.app.test_client()
    assert log_in(client, "giamsat").status_code == 303
    own = {row[0] for row in comma_separated(client, "/exports/devices.csv")[1:]}
    everybody = watched.office.app.test_client()
    log_in(everybody, "quanly")
    assert own < {row[0] for row in comma_separated(everybody, "/exports/devices.csv")[1:]}
    assert client.get("/exports/full/households.csv").status_code == 403


def test_another_format_is_not_there(client):
    assert client.get("/exports/devices.pdf").status_code == 404
    assert client.get("/exports/statements/999.xlsx").status_code == 404
