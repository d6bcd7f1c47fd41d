"""The dry run names every cell that is wrong, and says what the rest would do."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import cycle, islice
from typing import Any

import pytest

from server.imports.checking import check_sheet, stage_sheet
from server.imports.codes import IMPORT_MESSAGES, ImportCode, import_message
from server.imports.kept import faults_of
from server.imports.registry import SHEETS
from server.spreadsheets import column_letter, written_csv, written_xlsx
from tests.server.imports.builders import (
    a_household,
    a_participant,
    a_quota,
    a_sheet,
    a_stated_baseline,
    an_outside_figure,
    checked,
    faults,
    imported,
)
from tests.support.office_checks import count

DAY = date(2020, 5, 12)
# Office rows that plants refer to or clash with.
PRESENT = {
    "areas": [
        {"code": "28400", "name": "Xã A", "level": "Xã", "parent_code": "82", "valid_from": DAY},
        {"code": "817", "name": "Huyện B", "level": "Huyện", "parent_code": "82", "valid_from": DAY},
        {"code": "28401", "name": "Xã B1", "level": "Xã", "parent_code": "817", "valid_from": DAY},
        {
            "code": "818",
            "name": "Huyện C",
            "level": "Huyện",
            "parent_code": "82",
            "valid_from": DAY,
            "valid_to": date(2020, 12, 31),
        },
        {"code": "00500", "name": "Xã Không", "level": "Xã", "parent_code": "82", "valid_from": DAY},
    ],
    "organisations": [
        {"code": "VT", "name": "Viettel", "kind": "viettel", "parent_code": None, "valid_from": DAY},
        {"code": "VT-1", "name": "Viettel 1", "kind": "viettel", "parent_code": "VT", "valid_from": DAY},
        {
            "code": "HND",
            "name": "Hội",
            "kind": "farmers_union",
            "valid_from": DAY,
            "valid_to": date(2020, 12, 31),
        },
    ],
    "workers": [
        {"code": "NV1", "name": "Một"},
        {"code": "NV2", "name": "Hai"},
        {"code": "0003", "name": "Ba"},
    ],
    "teams": [
        {"team_code": "T1", "team_name": "Đội 1", "worker_code": "NV1", "from_day": DAY, "to_day": None},
    ],
    "participants": [a_participant(90_000)],
}


def an_area(n: int) -> dict[str, Any]:
    return {
        "code": f"A{n}",
        "name": f"Ấp {n}",
        "level": "Ấp",
        "parent_code": "28400",
        "valid_from": DAY,
        "valid_to": None,
    }


def an_organisation(n: int) -> dict[str, Any]:
    return {
        "code": f"O{n}",
        "name": f"Đơn vị {n}",
        "kind": "Khác",
        "parent_code": "VT",
        "valid_from": DAY,
        "valid_to": None,
    }


def a_worker(n: int) -> dict[str, Any]:
    return {"code": f"W{n}", "name": f"Người {n}", "organisation_code": "BD"}


def a_member(n: int) -> dict[str, Any]:
    return {
        "team_code": f"M{n}",
        "team_name": f"Đội {n}",
        "worker_code": "NV2",
        "campaign": None,
        "from_day": date(2030 + n // 300, 1 + n // 25 % 12, 1 + n % 25),
        "to_day": date(2030 + n // 300, 1 + n // 25 % 12, 1 + n % 25),
    }


def an_assignment(n: int) -> dict[str, Any]:
    return {
        "worker_code": "NV1",
        "role": "Nhân viên thu",
        "area_code": "28249",
        "organisation_code": None,
        "from_day": date(2021 + n // 300, 1 + n // 25 % 12, 1 + n % 25),
        "to_day": None,
    }


def an_asked_quota(n: int) -> dict[str, Any]:
    day = date(2020, 1 + n // 25 % 12, 1 + n % 25)
    return a_quota("NV1", n, kind="supplementary", from_day=day, to_day=day)


def a_baseline(n: int) -> dict[str, Any]:
    return a_stated_baseline(f"M{n}", n)


def a_window(n: int) -> dict[str, Any]:
    return {
        "scheme": "health",
        "valid_from": date(2021, 1 + n // 25 % 12, 1 + n % 25),
        "days": 90,
        "is_assumption": "Có",
        "source": "Giả định",
    }


def a_figure(n: int) -> dict[str, Any]:
    return an_outside_figure(value=n, denominator_name=f"Mẫu số {n}", denominator=1_000 + n)


MAKERS = {
    "areas": an_area,
    "organisations": an_organisation,
    "workers": a_worker,
    "teams": a_member,
    "assignments": an_assignment,
    "households": a_household,
    "quotas": an_asked_quota,
    "participants": a_participant,
    "baselines": a_baseline,
    "renewal_windows": a_window,
    "outside_figures": a_figure,
}
LONG = "x" * 400
# (column whose cell is named, cells of the row that are planted, code).
PLANTS: dict[str, list[tuple[str, dict[str, Any], str]]] = {
    "areas": [
        ("code", {"code": None}, "cell_required"),
        ("code", {"code": "A 1!"}, "code_malformed"),
        ("code", {"code": 12345}, "code_is_a_number"),
        ("code", {"code": 1.5}, "number_mangled"),
        ("name", {"name": LONG}, "cell_too_long"),
        ("name", {"name": "#N/A"}, "cell_is_an_error"),
        ("level", {"level": "Khóm"}, "cell_not_in_list"),
        ("level", {"level": "Tỉnh"}, "level_not_below_parent"),
        ("level", {"code": "28400", "level": "Ấp", "parent_code": "82"}, "fixed_once_set"),
        ("parent_code", {"parent_code": "99999"}, "no_such_parent"),
        ("valid_from", {"valid_from": "31/02/2025"}, "cell_not_a_day"),
        ("valid_to", {"valid_to": date(2019, 1, 1)}, "ends_before_it_begins"),
        ("valid_to", {"parent_code": "818"}, "outlives_its_parent"),
        (
            "valid_to",
            {"code": "817", "level": "Huyện", "parent_code": "82", "valid_to": date(2021, 1, 1)},
            "outlived_by_a_child",
        ),
        ("code", {"code": "28401", "valid_from": date(2021, 1, 1)}, "code_in_use"),
    ],
    "organisations": [
        ("name", {"name": None}, "cell_required"),
        ("kind", {"kind": "Ngân hàng"}, "cell_not_in_list"),
        ("kind", {"code": "VT-1", "kind": "Khác"}, "fixed_once_set"),
        ("code", {"code": "1,23E+11"}, "number_mangled"),
        ("parent_code", {"parent_code": "KHONG"}, "no_such_parent"),
        ("valid_from", {"valid_from": "12/2025"}, "cell_not_a_day"),
        ("valid_to", {"valid_to": date(2019, 1, 1)}, "ends_before_it_begins"),
        ("valid_to", {"parent_code": "HND"}, "outlives_its_parent"),
        ("name", {"name": "a\x01b"}, "cell_has_control_character"),
    ],
    "workers": [
        ("code", {"code": 7}, "code_is_a_number"),
        ("code", {"code": "NV#1"}, "code_malformed"),
        ("code", {"code": "x" * 41}, "cell_too_long"),
        ("name", {"name": None}, "cell_required"),
        ("name", {"name": "#REF!"}, "cell_is_an_error"),
        ("organisation_code", {"organisation_code": "KHONG"}, "no_such_organisation"),
    ],
    "teams": [
        ("worker_code", {"worker_code": "NV999"}, "no_such_worker"),
        ("worker_code", {"worker_code": "3"}, "leading_zero_lost"),
        ("worker_code", {"worker_code": "NV1"}, "team_days_overlap"),
        ("campaign", {"campaign": 77}, "no_such_campaign"),
        ("campaign", {"campaign": "một"}, "cell_not_whole"),
        ("campaign", {"campaign": 0}, "cell_out_of_range"),
        ("to_day", {"to_day": date(2019, 1, 1)}, "ends_before_it_begins"),
        ("team_name", {"team_name": None}, "cell_required"),
        ("from_day", {"from_day": "hôm nay"}, "cell_not_a_day"),
    ],
    "assignments": [
        ("worker_code", {"worker_code": None}, "cell_required"),
        ("worker_code", {"worker_code": "NV999"}, "no_such_worker"),
        ("role", {"role": "Giám đốc"}, "cell_not_in_list"),
        ("area_code", {"area_code": "77777"}, "no_such_area"),
        ("area_code", {"area_code": 500}, "leading_zero_lost"),
        ("area_code", {"area_code": None}, "assigned_to_nothing"),
        ("organisation_code", {"organisation_code": "KHONG"}, "no_such_organisation"),
        ("to_day", {"to_day": date(2019, 1, 1)}, "ends_before_it_begins"),
    ],
    "households": [
        ("code", {"code": None}, "cell_required"),
        ("code", {"code": 123456}, "code_is_a_number"),
        ("area_code", {"area_code": "82"}, "area_is_no_commune"),
        ("area_code", {"area_code": "77777"}, "no_such_area"),
        ("area_code", {"area_code": 500}, "leading_zero_lost"),
        ("head_name", {"head_name": "x" * 121}, "cell_too_long"),
        ("address", {"address": "#VALUE!"}, "cell_is_an_error"),
        ("phone", {"phone": 912345678}, "leading_zero_lost"),
        ("phone", {"phone": "09x"}, "phone_malformed"),
        ("phone", {"phone": "9,12E+08"}, "number_mangled"),
        ("members", {"members": 61}, "cell_out_of_range"),
        ("members", {"members": 2.5}, "cell_not_whole"),
    ],
    "quotas": [
        ("campaign", {"campaign": 77}, "no_such_campaign"),
        ("kind", {"kind": "Thứ ba"}, "cell_not_in_list"),
        ("indicator", {"indicator": "khong_co"}, "no_such_indicator"),
        ("holder_code", {"holder_code": "NV999"}, "no_such_worker"),
        ("holder_code", {"holder_code": "3"}, "leading_zero_lost"),
        ("holder_code", {"holder_kind": "Đội", "holder_code": "T99"}, "no_such_team"),
        ("holder_code", {"holder_kind": "Địa bàn", "holder_code": "77777"}, "no_such_area"),
        ("holder_code", {"holder_code": None}, "cell_required"),
        ("to_day", {"to_day": date(2019, 1, 1)}, "ends_before_it_begins"),
        ("amount", {"amount": -1}, "cell_out_of_range"),
        ("parent_code", {"parent_kind": "Địa bàn"}, "cell_required"),
        ("quoted_percent", {"quoted_percent": "gần đủ"}, "ratio_malformed"),
        ("decision_number", {"decision_number": "9/QĐ"}, "plan_terms_differ"),
    ],
    "participants": [
        ("insurance_number", {"insurance_number": None, "national_id": None}, "number_missing"),
        ("insurance_number", {"insurance_number": 912345678}, "leading_zero_lost"),
        ("insurance_number", {"insurance_number": "79123456789"}, "code_malformed"),
        ("national_id", {"national_id": "8,2E+11"}, "number_mangled"),
        ("national_id", {"national_id": "082100090000"}, "number_of_another"),
        ("full_name", {"full_name": None}, "cell_required"),
        ("birth_date", {"birth_date": "31/02/1980"}, "cell_not_a_day"),
        ("scheme", {"scheme": "BHXH bắt buộc"}, "cell_not_in_list"),
        ("as_of", {"as_of": date(2030, 1, 1), "valid_to": date(2031, 1, 1)}, "day_to_come"),
        ("valid_to", {"valid_from": date(2021, 1, 1)}, "ends_before_it_begins"),
        ("lapse_reason", {"lapse_reason": "Chuyển đi nơi khác"}, "lapsed_but_valid"),
        ("area_code", {"area_code": "77777"}, "no_such_area"),
    ],
    "baselines": [
        ("code", {"code": None}, "cell_required"),
        ("scheme", {"scheme": "Xe máy"}, "cell_not_in_list"),
        ("as_of", {"as_of": date(2030, 1, 1)}, "day_to_come"),
        ("persons", {"persons": -1}, "cell_out_of_range"),
        ("persons", {"persons": "nhiều"}, "cell_not_whole"),
        ("source", {"source": None}, "cell_required"),
    ],
    "renewal_windows": [
        ("days", {"days": 4_000}, "cell_out_of_range"),
        ("days", {"days": None}, "cell_required"),
        ("is_assumption", {"is_assumption": "Có lẽ"}, "cell_not_in_list"),
        ("valid_from", {"valid_from": "hôm qua"}, "cell_not_a_day"),
    ],
    "outside_figures": [
        ("figure", {"figure": "Số con gà"}, "cell_not_in_list"),
        ("area_code", {"area_code": "77777"}, "no_such_area"),
        ("denominator", {"denominator": 0}, "cell_out_of_range"),
        ("value", {"value": None}, "figure_empty"),
        ("quoted_percent", {"quoted_percent": "một nửa"}, "ratio_malformed"),
        ("denominator_name", {"denominator_day": None}, "denominator_unnamed"),
        (
            "denominator_low",
            {"denominator": None, "denominator_low": 9, "denominator_high": 5},
            "denominator_unclear",
        ),
        ("source_day", {"source_day": None}, "cell_required"),
    ],
}
PLANTED_EACH = 35


def planted(name: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Return a file of a sheet with 35 faults among good rows, and (cell, code) of each."""
    names = [column.name for column in SHEETS[name].columns]
    rows, wanted = [], []
    for n, plant in enumerate(islice(cycle(PLANTS[name]), PLANTED_EACH)):
        column, cells, code = plant if n < len(PLANTS[name]) else repeated(n, plant)
        rows.append({**MAKERS[name](2 * n), **cells})
        wanted.append((f"{column_letter(names.index(column))}{len(rows) + 1}", code))
        rows.append(MAKERS[name](2 * n + 1))
    header = [column.title("vi") for column in SHEETS[name].columns]
    return written_xlsx(name, header, [[row.get(each) for each in names] for row in rows]), wanted


def repeated(n: int, plant: tuple[str, dict[str, Any], str]) -> tuple[str, dict[str, Any], str]:
    """Return a plant for once more: no two rows of a sheet may have one key."""
    column, cells, code = plant
    if isinstance(cells.get("code"), int):
        return column, {"code": cells["code"] + n}, code
    if code == "code_in_use" or cells.get("code") in {"28400", "817", "VT-1"}:
        return "name", {"name": None}, "cell_required"
    return plant


@pytest.fixture
def full_office(office, author):
    """The small office with the rows that plants refer to."""
    for name, sheet in PRESENT.items():
        imported(office.runtime, author, name, *sheet)
    return office


def test_two_hundred_planted_faults_are_each_named_by_cell_in_both_languages(full_office, author):
    runtime, codes, total = full_office.runtime, Counter(), 0
    for name in SHEETS:
        content, wanted = planted(name)
        found = check_sheet(runtime, SHEETS[name], content)
        named = [(f"{fault.letter}{fault.number}", fault.code) for fault in found.faults]
        assert sorted(named) == sorted(wanted), name
        # The good rows between them are decided all the same.
        assert found.fates["add"] == PLANTED_EACH, name
        run = stage_sheet(runtime, author, found, "x.xlsx", content)
        with runtime.transactions.reading() as connection:
            kept = faults_of(connection, run.id, limit=1000)
        assert kept == found.faults
        for fault in kept:
            vietnamese, english = (import_message(fault.code, language) for language in ("vi", "en"))
            assert vietnamese != english
            assert vietnamese
        codes.update(code for _, code in wanted)
        total += len(wanted)
    assert total >= 200
    assert len(codes) >= 15
    # Nothing of a sheet with faults waits to be applied.
    assert count(full_office, "import_row") == 0


def test_every_code_has_texts_in_both_languages():
    assert set(IMPORT_MESSAGES) == set(ImportCode)
    assert all(vietnamese and english for vietnamese, english in IMPORT_MESSAGES.values())


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_headers_are_known_in_both_languages_and_in_any_case(office, name, language):
    header = [column.title(language).upper() for column in SHEETS[name].columns]
    found = check_sheet(office.runtime, SHEETS[name], written_csv(header, [["?"] * len(header)]))
    assert not {"column_unknown", "column_missing"} & {fault.code for fault in found.faults}


def test_a_header_that_does_not_fit_is_told_by_column(office):
    content = written_csv(["Mã nhân viên", "Màu", "Mã nhân viên"], [["NV1", "đỏ", "NV1"]])
    found = check_sheet(office.runtime, SHEETS["workers"], content)
    named = {(f"{fault.letter}{fault.number}", fault.column, fault.code) for fault in found.faults}
    assert named == {
        ("B1", "", "column_unknown"),
        ("C1", "code", "column_repeated"),
        ("1", "name", "column_missing"),
    }


def test_a_row_that_repeats_a_key_is_named(office):
    worker = {"code": "NV1", "name": "Một"}
    assert faults(office.runtime, "workers", worker, worker) == [("A3", "key_repeated")]


def test_a_team_has_one_name_in_a_sheet(full_office):
    rows = [a_member(1) | {"team_code": "T9"}, a_member(2) | {"team_code": "T9", "team_name": "Khác"}]
    assert faults(full_office.runtime, "teams", *rows) == [("B3", "team_name_differs")]


def test_a_number_is_taken_for_a_code_where_that_code_is_known(office):
    row = a_household(1, area_code=28249)
    assert faults(office.runtime, "households", row, xlsx=True) == []


def test_a_household_that_was_merged_away_is_not_changed(office, author):
    imported(office.runtime, author, "households", a_household(1))
    with office.runtime.transactions.writing() as connection:
        connection.exec_driver_sql("UPDATE household SET merged_into = 'x'")
    assert faults(office.runtime, "households", a_household(1, members=2)) == [("A2", "record_withdrawn")]
    with office.runtime.transactions.writing() as connection:
        connection.exec_driver_sql("UPDATE household SET merged_into = NULL")


def test_too_many_changes_at_once_are_refused_and_told(office, author, monkeypatch):
    monkeypatch.setattr("server.imports.checking.CHANGES_MOST", 2)
    imported(office.runtime, author, "households", *[a_household(n) for n in range(1, 5)])
    fresh = [a_household(n, members=9) for n in range(1, 5)]
    assert faults(office.runtime, "households", *fresh) == [("0", "too_many_changes")]


def test_office_sheets_have_a_lower_limit_of_rows(office, monkeypatch):
    monkeypatch.setattr("server.imports.checking.OFFICE_ROWS_MOST", 1)
    workers = [{"code": f"NV{n}", "name": "Một"} for n in (1, 2)]
    assert faults(office.runtime, "workers", *workers) == [("0", "too_many_rows")]


def test_a_dry_run_writes_nothing(office):
    before = office.runtime.transactions.engine.url.database
    size = open_bytes(before)
    checked(office.runtime, "households", a_household(1))
    check_sheet(office.runtime, SHEETS["workers"], a_sheet("workers", {"code": "NV1", "name": "Một"}))
    assert open_bytes(before) == size


def open_bytes(path: str) -> list[bytes]:
    from pathlib import Path

    return [
        file.read_bytes()
        for file in sorted(Path(path).parent.glob("imports.sqlite3*"))
        if "shm" not in file.name
    ]
