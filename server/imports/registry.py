"""The sheets that the office takes, in the order in which a new office fills them.

A further sheet is one more entry: its columns, its key, and the rules that decide about its rows.
"""

from __future__ import annotations

from typing import Any

from server.imports.columns import (
    Column,
    choice_of,
    code_of,
    digits_of,
    read_day,
    read_phone,
    read_ratio,
    text_of,
    whole_of,
)
from server.imports.figure_sheets import BaselineRules, OutsideRules, WindowRules
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
from server.imports.plan_sheet import HOLDER_KINDS, QuotaRules
from server.imports.register_sheet import ParticipantRules
from server.imports.sheet import Sheet
from server.office.rules import AREA_LEVELS, ORGANISATION_KINDS, ROLES
from server.outside.rules import FIGURES
from server.outside.wording import FIGURE_WORDS
from server.register.rules import LAPSE_REASONS, SCHEMES
from server.register.wording import LAPSE_WORDS, SCHEME_WORDS
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
_YES_NO = {"yes": ("Có", "Yes"), "no": ("Không", "No")}
_CODE_MOST, _NAME_MOST = 40, 120
_PEOPLE_MOST, _VALUE_MOST = 200_000_000, 10**15 - 1
_DAY = ("dd/mm/yyyy", "dd/mm/yyyy")
_OPEN = ("Để trống: chưa có ngày kết thúc. dd/mm/yyyy", "Blank: no last day yet. dd/mm/yyyy")
_PROVINCE = ("Để trống: toàn tỉnh", "Blank: the whole province")
_BOUNDS = (
    "Chỉ khi mẫu số biết được theo khoảng; để trống thì khoảng được suy từ tỷ lệ công bố",
    "Where the denominator is known by bounds alone; left blank, they follow from the published ratio",
)


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
        choices=tuple(words),
        **{"required": True, **more},
    )


def _whole(
    name: str,
    vietnamese: str,
    english: str,
    example: str,
    least: int = 0,
    most: int = _VALUE_MOST,
    **more: Any,
) -> Column:
    return Column(name, (vietnamese, english), whole_of(least, most), example, **more)


def _day(name: str, vietnamese: str, english: str, **more: Any) -> Column:
    return Column(name, (vietnamese, english), read_day, "31/12/2019", _DAY, **more)


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

_SCHEME = _choice("scheme", ("Loại hình", "Scheme"), SCHEME_WORDS, "BHXH tự nguyện", is_key=True)
_AREA_CODE = _code("area_code", "Mã xã", "Commune code", "28249")
# No column is a key by itself: the rules know by which number a line is kept, and tell repetitions.
PARTICIPANTS = Sheet(
    "participants",
    ("Người tham gia", "Participants"),
    (
        Column(
            "insurance_number",
            ("Mã số BHXH", "Insurance number"),
            digits_of(10),
            "7912345678",
            (
                "10 chữ số; trống thì cần số định danh",
                "10 digits; where it is blank, the personal id is needed",
            ),
        ),
        Column(
            "national_id",
            ("Số định danh cá nhân", "Personal id"),
            digits_of(12),
            "082190001234",
            ("12 chữ số", "12 digits"),
        ),
        Column("full_name", ("Họ tên", "Full name"), text_of(_NAME_MOST), "Trần Thị Bưởi", required=True),
        _day("birth_date", "Ngày sinh", "Date of birth"),
        _choice("scheme", ("Loại hình", "Scheme"), SCHEME_WORDS, "BHXH tự nguyện"),
        _day("as_of", "Ngày chốt sổ", "As of", required=True),
        _day("valid_from", "Có hạn từ", "Valid from"),
        _day("valid_to", "Có hạn đến", "Valid to", required=True),
        _AREA_CODE,
        _choice("lapse_reason", ("Lý do giảm", "Reason for lapsing"), LAPSE_WORDS, "", required=False),
    ),
    ParticipantRules,
    has_template=True,
    is_register=True,
)
BASELINES = Sheet(
    "baselines",
    ("Mốc so sánh", "Baselines"),
    (
        _SCHEME,
        _code("code", "Mã mốc", "Baseline code", "2019", required=True, is_key=True),
        Column("name", ("Tên mốc", "Name"), text_of(_NAME_MOST), "Cuối năm 2019", required=True),
        _day("as_of", "Ngày chốt sổ", "As of", required=True),
        _whole("persons", "Số người", "Persons", "7262", most=_PEOPLE_MOST, required=True),
        Column("source", ("Nguồn", "Source"), text_of(300), "Báo cáo tháng 12", required=True),
    ),
    BaselineRules,
    has_template=True,
)
RENEWAL_WINDOWS = Sheet(
    "renewal_windows",
    ("Quy tắc tái tục", "Rule of renewals"),
    (
        _SCHEME,
        _first_day("valid_from", "Từ ngày", "From", is_key=True),
        Column(
            "days",
            ("Số ngày", "Days"),
            whole_of(0, 3_650),
            "90",
            (
                "Hết hạn chưa quá bấy nhiêu ngày thì ghi danh là tái tục",
                "An enrolment so many days after the end of validity is a renewal",
            ),
            required=True,
        ),
        _choice("is_assumption", ("Là giả định", "Is an assumption"), _YES_NO, "Có"),
        Column("source", ("Nguồn", "Source"), text_of(300), "Công văn 01", required=True),
    ),
    WindowRules,
)
OUTSIDE_FIGURES = Sheet(
    "outside_figures",
    ("Số liệu ngoài", "Figures from outside"),
    (
        _choice("figure", ("Số liệu", "Figure"), FIGURE_WORDS, "Độ bao phủ BHXH", is_key=True),
        _code("area_code", "Mã địa bàn", "Area code", "", is_key=True, remark=_PROVINCE),
        _day("day", "Tính đến ngày", "As of", required=True, is_key=True),
        _whole("value", "Giá trị", "Value", "281909", least=-_VALUE_MOST),
        Column(
            "denominator_name",
            ("Tên mẫu số", "Denominator's name"),
            text_of(_NAME_MOST),
            "Lực lượng lao động",
            is_key=True,
        ),
        _day("denominator_day", "Ngày của mẫu số", "Denominator's day"),
        _whole("denominator", "Mẫu số", "Denominator", "", least=1),
        _whole("denominator_low", "Mẫu số từ", "Denominator from", "", least=1, remark=_BOUNDS),
        _whole("denominator_high", "Mẫu số đến", "Denominator to", "", least=1, remark=_BOUNDS),
        Column("quoted_percent", ("Tỷ lệ đã công bố", "Published ratio"), read_ratio, "29,9"),
        Column("source", ("Nguồn", "Source"), text_of(300), "Báo cáo năm 2020", required=True),
        _day("source_day", "Ngày của nguồn", "Source's day", required=True),
    ),
    OutsideRules,
    has_template=True,
)

HOLDER_WORDS = {
    "office": ("Văn phòng", "Office"),
    "area": ("Địa bàn", "Area"),
    "organisation": ("Đơn vị", "Organisation"),
    "team": ("Đội", "Team"),
    "agent": ("Nhân viên thu", "Agent"),
    "officer": ("Cán bộ vận động", "Officer"),
    "hamlet_head": ("Trưởng ấp", "Head of hamlet"),
}
_PLAN_WORDS = {"initial": ("Ban đầu", "Initial"), "supplementary": ("Bổ sung", "Supplementary")}
_HOLDER_CODE = (
    "Mã nhân viên, đội, địa bàn hay đơn vị; văn phòng thì để trống",
    "The code of a worker, team, area or organisation; blank for the office",
)
_DECISION = ("Như nhau ở mọi dòng của một kế hoạch", "The same in all rows of one plan")
QUOTAS = Sheet(
    "quotas",
    ("Chỉ tiêu", "Quotas"),
    (
        Column(
            "campaign",
            ("Chiến dịch số", "Campaign number"),
            whole_of(0, 999_999),
            "1",
            ("0: kế hoạch của văn phòng", "0: the office's own plan"),
            required=True,
            is_key=True,
        ),
        _choice("kind", ("Kế hoạch", "Plan"), _PLAN_WORDS, "Ban đầu", is_key=True),
        _code("indicator", "Mã chỉ tiêu", "Indicator code", "voluntary_enrolled", required=True, is_key=True),
        _choice("holder_kind", ("Giao cho", "Asked of"), HOLDER_WORDS, "Nhân viên thu", is_key=True),
        _code("holder_code", "Mã nơi nhận", "Holder code", "NV0001", is_key=True, remark=_HOLDER_CODE),
        _first_day("from_day", "Từ ngày", "From", is_key=True),
        Column("to_day", ("Đến ngày", "To"), read_day, "31/12/2025", _DAY, required=True),
        _whole("amount", "Số giao", "Amount", "12", required=True),
        _choice("parent_kind", ("Thuộc cấp trên", "Part of"), HOLDER_WORDS, "Địa bàn", required=False),
        _code("parent_code", "Mã cấp trên", "Code of what it is part of", "28249"),
        Column("quoted_percent", ("Tỷ lệ đã công bố", "Published ratio"), read_ratio, ""),
        Column("decision_number", ("Số quyết định", "Decision"), text_of(60), "1788/QĐ-BHXH", _DECISION),
        Column("decision_day", ("Ngày quyết định", "Decided on"), read_day, "20/12/2024", _DECISION),
        Column("effective_from", ("Hiệu lực từ", "In force from"), read_day, "01/01/2025", _DECISION),
    ),
    QuotaRules,
    has_template=True,
)

SHEETS: dict[str, Sheet] = {
    sheet.name: sheet
    for sheet in (
        AREAS,
        ORGANISATIONS,
        WORKERS,
        TEAMS,
        ASSIGNMENTS,
        HOUSEHOLDS,
        QUOTAS,
        PARTICIPANTS,
        BASELINES,
        RENEWAL_WINDOWS,
        OUTSIDE_FIGURES,
    )
}
assert set(LEVEL_WORDS) == set(AREA_LEVELS)
assert set(KIND_WORDS) == set(ORGANISATION_KINDS)
assert set(ROLE_WORDS) == set(ROLES)
assert set(HOLDER_WORDS) == set(HOLDER_KINDS)
assert set(SCHEME_WORDS) == set(SCHEMES)
assert set(LAPSE_WORDS) == set(LAPSE_REASONS)
assert set(FIGURE_WORDS) == set(FIGURES)
assert LIMITS.text_characters >= _NAME_MOST
