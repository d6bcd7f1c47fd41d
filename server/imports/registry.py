"""The sheets that the office takes, in the order in which a new office fills them.

A further sheet is one more entry: its columns, its key, and the rules that decide about its rows.
"""

from __future__ import annotations

from typing import Any

from server.imports.columns import (
    Column,
    choice_of,
    code_of,
    read_day,
    read_phone,
    text_of,
    whole_of,
)
from server.imports.household_sheet import HouseholdRules
from server.imports.office_sheets import (
    AreaRules,
    AssignmentRules,
    OrganisationRules,
    TeamRules,
    WorkerRules,
    by_level,
    parents_first,
)
from server.imports.sheet import Sheet
from server.office.rules import AREA_LEVELS, ORGANISATION_KINDS, ROLES
from sync.limits import LIMITS

LEVEL_WORDS = {
    "province": ("Tỉnh", "Province"),
    "district": ("Huyện", "District"),
    "commune": ("Xã", "Commune"),
    "hamlet": ("Ấp", "Hamlet"),
}
KIND_WORDS = {
    "insurance_office": ("Cơ quan BHXH", "Insurance office"),
    "post_office": ("Bưu điện", "Post office"),
    "viettel": ("Viettel", "Viettel"),
    "commune_committee": ("UBND xã", "Commune committee"),
    "farmers_union": ("Hội Nông dân", "Farmers' Union"),
    "job_centre": ("Trung tâm việc làm", "Job centre"),
    "other": ("Khác", "Other"),
}
ROLE_WORDS = {
    "agent": ("Nhân viên thu", "Agent"),
    "supervisor": ("Giám sát viên", "Supervisor"),
    "treasurer": ("Thủ quỹ", "Treasurer"),
    "auditor": ("Kiểm toán", "Auditor"),
    "committee": ("Ban chỉ đạo", "Committee"),
    "administrator": ("Quản trị", "Administrator"),
}
_CODE_MOST, _NAME_MOST = 40, 120
_DAY = ("dd/mm/yyyy", "dd/mm/yyyy")
_OPEN = ("Để trống: chưa có ngày kết thúc. dd/mm/yyyy", "Blank: no last day yet. dd/mm/yyyy")


def _code(name: str, vietnamese: str, english: str, example: str, **more: Any) -> Column:
    return Column(name, (vietnamese, english), code_of(_CODE_MOST), example, **more)


def _first_day(name: str, vietnamese: str, english: str, **more: Any) -> Column:
    return Column(name, (vietnamese, english), read_day, "01/07/2025", _DAY, required=True, **more)


def _last_day(name: str, vietnamese: str, english: str) -> Column:
    return Column(name, (vietnamese, english), read_day, "", _OPEN)


def _choice(
    name: str, titles: tuple[str, str], words: dict[str, tuple[str, str]], example: str, **more: Any
) -> Column:
    remark = tuple(", ".join(both[number] for both in words.values()) for number in (0, 1))
    assert len(remark) == len(titles)
    return Column(
        name,
        titles,
        choice_of(words),
        example,
        (remark[0], remark[1]),
        required=True,
        choices=tuple(words),
        **more,
    )


_WORKER = _code("worker_code", "Mã nhân viên", "Worker code", "NV0001", required=True, is_key=True)

AREAS = Sheet(
    "areas",
    ("Địa bàn", "Areas"),
    (
        _code("code", "Mã địa bàn", "Area code", "28249", required=True, is_key=True),
        Column("name", ("Tên", "Name"), text_of(_NAME_MOST), "Phường 5", required=True),
        _choice("level", ("Cấp", "Level"), LEVEL_WORDS, "Xã"),
        _code("parent_code", "Mã cấp trên", "Parent code", "82"),
        _first_day("valid_from", "Từ ngày", "From", is_key=True),
        _last_day("valid_to", "Đến ngày", "To"),
    ),
    AreaRules,
    order=by_level,
)
ORGANISATIONS = Sheet(
    "organisations",
    ("Đơn vị", "Organisations"),
    (
        _code("code", "Mã đơn vị", "Organisation code", "BD-MT", required=True, is_key=True),
        Column("name", ("Tên", "Name"), text_of(_NAME_MOST), "Bưu điện Mỹ Tho", required=True),
        _choice("kind", ("Loại", "Kind"), KIND_WORDS, "Bưu điện"),
        _code("parent_code", "Mã cấp trên", "Parent code", "BD"),
        _first_day("valid_from", "Từ ngày", "From", is_key=True),
        _last_day("valid_to", "Đến ngày", "To"),
    ),
    OrganisationRules,
    order=parents_first,
)
WORKERS = Sheet(
    "workers",
    ("Nhân viên", "Workers"),
    (
        _code("code", "Mã nhân viên", "Worker code", "NV0001", required=True, is_key=True),
        Column("name", ("Họ tên", "Name"), text_of(_NAME_MOST), "Nguyễn Thị An", required=True),
        _code("organisation_code", "Mã đơn vị", "Organisation code", "BD-MT"),
    ),
    WorkerRules,
    has_template=True,
)
TEAMS = Sheet(
    "teams",
    ("Đội", "Teams"),
    (
        _code("team_code", "Mã đội", "Team code", "D01", required=True, is_key=True),
        Column("team_name", ("Tên đội", "Team name"), text_of(_NAME_MOST), "Đội 1", required=True),
        _WORKER,
        Column(
            "campaign",
            ("Chiến dịch số", "Campaign number"),
            whole_of(1, 999_999),
            "",
            ("Để trống: đội thường trực", "Blank: the standing team"),
            is_key=True,
        ),
        _first_day("from_day", "Từ ngày", "From", is_key=True),
        _last_day("to_day", "Đến ngày", "To"),
    ),
    TeamRules,
)
ASSIGNMENTS = Sheet(
    "assignments",
    ("Phân công", "Assignments"),
    (
        _WORKER,
        _choice("role", ("Vai trò", "Role"), ROLE_WORDS, "Nhân viên thu", is_key=True),
        _code("area_code", "Mã địa bàn", "Area code", "28249", is_key=True),
        _code("organisation_code", "Mã đơn vị", "Organisation code", "", is_key=True),
        _first_day("from_day", "Từ ngày", "From", is_key=True),
        _last_day("to_day", "Đến ngày", "To"),
    ),
    AssignmentRules,
    has_template=True,
)
HOUSEHOLDS = Sheet(
    "households",
    ("Hộ gia đình", "Households"),
    (
        _code("code", "Mã hộ", "Household code", "H000001", required=True, is_key=True),
        _code("area_code", "Mã xã", "Commune code", "28249", required=True),
        Column(
            "head_name", ("Chủ hộ", "Head of household"), text_of(_NAME_MOST), "Trần Văn Bưởi", required=True
        ),
        Column("address", ("Địa chỉ", "Address"), text_of(300), "12 Lý Thường Kiệt", required=True),
        Column("hamlet", ("Ấp, khu phố", "Hamlet"), text_of(_NAME_MOST), "Khu phố 3"),
        Column("phone", ("Điện thoại", "Phone"), read_phone, "0912345678"),
        Column("members", ("Số người", "Members"), whole_of(1, 60), "4"),
    ),
    HouseholdRules,
    has_template=True,
    needs_worker=True,
)

SHEETS: dict[str, Sheet] = {
    sheet.name: sheet for sheet in (AREAS, ORGANISATIONS, WORKERS, TEAMS, ASSIGNMENTS, HOUSEHOLDS)
}
assert set(LEVEL_WORDS) == set(AREA_LEVELS)
assert set(KIND_WORDS) == set(ORGANISATION_KINDS)
assert set(ROLE_WORDS) == set(ROLES)
assert LIMITS.text_characters >= _NAME_MOST
