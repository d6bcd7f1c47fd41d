"""The office's own tables as files, read back by another library and by our importer."""

from __future__ import annotations

import io
from datetime import date, datetime

import pytest

from schemas.rate_tables import published_rows
from server.exports.office_tables import OFFICE_TABLES
from server.imports.checking import check_sheet
from server.imports.registry import SHEETS
from server.office.actions import load_rates
from server.quotas.actions import seed_holidays
from server.quotas.holidays import HOLIDAYS
from tests.server.exports.test_exports import (  # noqa: F401 - fixtures
    client,
    comma_separated,
    watched,
    xlsx,
)
from tests.server.imports.builders import a_household, a_sheet, imported
from tests.support.desk import a_supervisor
from tests.support.office_checks import rows
from tests.support.staff import form_token, log_in

SHEET_ROWS = {
    "organisations": [
        {"code": "VT", "name": "=Viettel", "kind": "viettel", "valid_from": date(2020, 1, 1)},
        {
            "code": "VT-MT",
            "name": "Viettel Mỹ Tho",
            "kind": "Viettel",
            "parent_code": "VT",
            "valid_from": date(2020, 1, 1),
            "valid_to": date(2030, 12, 31),
        },
    ],
    "workers": [
        {"code": "NV001", "name": "Phan Thị Lan", "organisation_code": "VT-MT"},
        {"code": "002", "name": "Lâm Văn Mẫn"},
    ],
    "teams": [
        {
            "team_code": "D01",
            "team_name": "Đội 1",
            "worker_code": "NV001",
            "campaign": 1,
            "from_day": date(2020, 5, 1),
            "to_day": date(2020, 5, 31),
        }
    ],
    "assignments": [
        {
            "worker_code": "NV001",
            "role": "agent",
            "area_code": "28249",
            "from_day": date(2020, 1, 1),
            "to_day": date(2020, 12, 31),
        },
        {"worker_code": "002", "role": "supervisor", "organisation_code": "VT", "from_day": date(2020, 1, 1)},
    ],
}


@pytest.fixture(scope="module")
def office(watched):  # noqa: F811
    """The office with sheets, rates and holidays."""
    office = watched.office
    supervisor = a_supervisor(office)
    for name, sheet in SHEET_ROWS.items():
        imported(office.runtime, supervisor, name, *sheet)
    office.change(lambda change: load_rates(change, published_rows()))
    office.change(seed_holidays)
    return office


def plain(cell):
    return cell.date() if isinstance(cell, datetime) else cell


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", SHEET_ROWS)
def test_a_sheet_that_was_exported_changes_nothing_when_it_is_imported(client, office, name, language):  # noqa: F811
    address = f"/exports/office/{name}.xlsx?lang={language}"
    answer = client.get(address)
    header, *lines = xlsx(client, address)
    coded = [number for number, line in enumerate(lines, start=2) if line[0] is not None]
    found = check_sheet(office.runtime, SHEETS[name], answer.data)
    # Who came by no sheet has no code, and is named as such.
    assert {fault.number for fault in found.faults} <= set(range(2, len(lines) + 2)) - set(coded)
    assert (found.fates["add"], found.fates["change"]) == (0, 0)
    assert found.fates["keep"] >= len(SHEET_ROWS[name])
    assert header == tuple(column.titles[language == "en"] for column in SHEETS[name].columns)


def test_the_areas_come_back_as_they_were(client, office):  # noqa: F811
    found = check_sheet(office.runtime, SHEETS["areas"], client.get("/exports/office/areas.csv").data)
    assert (found.faults, found.fates["keep"]) == ([], 5)


def test_cells_are_those_of_the_office(client, office):  # noqa: F811
    found = {
        row[0]: tuple(map(plain, row)) for row in xlsx(client, "/exports/office/organisations.xlsx?lang=vi")
    }
    assert found["VT-MT"][2:] == ("Viettel", "VT", date(2020, 1, 1), date(2030, 12, 31))
    assert found["VT"][1] == "'=Viettel"
    team = next(row for row in xlsx(client, "/exports/office/teams.xlsx") if row[0] == "D01")
    assert tuple(map(plain, team)) == ("D01", "Đội 1", "NV001", 1, date(2020, 5, 1), date(2020, 5, 31))
    role = next(row for row in xlsx(client, "/exports/office/assignments.xlsx") if row[0] == "NV001")
    assert tuple(map(plain, role)) == (
        *("NV001", "Nhân viên thu", "28249", None),
        *(date(2020, 1, 1), date(2020, 12, 31)),
    )


def test_the_small_tables_have_every_row_of_the_office(client, office):  # noqa: F811
    rates = xlsx(client, "/exports/office/rates.xlsx")[1:]
    assert {row[0] for row in rates} == {row["table"] for row in published_rows()}
    amounts = {(row[0], plain(row[1]), row[3]): row[4] for row in rates}
    assert amounts["base_salary", date(2024, 7, 1), "amount_vnd"] == 2_340_000
    assert amounts["voluntary_support", date(2025, 7, 1), "percents.poor"] == 50
    assert amounts["household_premium", date(2018, 7, 1), "step_percents"] == "100, 70, 60, 50, 40"
    days = xlsx(client, "/exports/office/holidays.xlsx")[1:]
    assert [plain(row[0]) for row in days] == sorted(holiday.day for holiday in HOLIDAYS)
    indicators = {row[0]: row for row in xlsx(client, "/exports/office/indicators.xlsx")[1:]}
    assert indicators["persuaded"][6:9] == ("Người vận động", "paid", 2)
    campaigns = {row[0]: row for row in xlsx(client, "/exports/office/campaigns.xlsx")[1:]}
    assert plain(campaigns[1][3]) == date(2020, 5, 12)


@pytest.mark.parametrize("name", OFFICE_TABLES)
def test_both_formats_have_the_same_cells(client, office, name):  # noqa: F811
    book = xlsx(client, f"/exports/office/{name}.xlsx")
    shown = [["" if cell is None else str(plain(cell)) for cell in row] for row in book]
    assert shown == comma_separated(client, f"/exports/office/{name}.csv")
    assert len(shown) > 1


def test_those_of_people_are_audited_and_the_whole_office_is_the_administrators(client, office):  # noqa: F811
    audited = "SELECT subject FROM audit_row WHERE action = 'table_exported'"
    before = len(rows(office, audited))
    for name in OFFICE_TABLES:
        client.get(f"/exports/office/{name}.csv")
    assert [row[0] for row in rows(office, audited)][before:] == ["workers", "teams", "assignments"]
    other = office.app.test_client()
    log_in(other, "giamsat")
    assert other.get("/exports/office/areas.csv").status_code == 403
    assert client.get("/exports/office/accounts.csv").status_code == 404


def test_what_is_wrong_with_a_sheet_is_a_file_to_work_by(client, office):  # noqa: F811

    content = a_sheet("households", a_household(1, area_code="99999"), a_household(2, head_name=None))
    fields = {"sheet": "households", "file": (io.BytesIO(content), "hộ.csv")}
    fields["csrf_token"] = form_token(client, "/imports")
    given = client.post("/imports", data=fields, content_type="multipart/form-data")
    number = given.headers["Location"].rpartition("/")[2]
    header, *lines = xlsx(client, f"/exports/imports/{number}.xlsx?lang=vi")
    assert header == ("Ô", "Cột", "Lỗi", "Mã lỗi")
    assert [(line[0], line[3]) for line in lines] == [("B2", "no_such_area"), ("C3", "cell_required")]
    assert client.get("/exports/imports/01234567-0123-7123-8123-0123456789ab.csv").status_code == 404
