"""What can be wrong with a sheet, a cell or an import, and its text in both languages.

These codes never travel to a device, so they stand here and not in the contract's `sync.codes`. They
are documented in docs/error-codes.md all the same, and never renamed.
"""

from __future__ import annotations

from enum import StrEnum

from server.quotas.wording import PLAN_FAULT_WORDS


class ImportCode(StrEnum):
    """A sheet's, a cell's or an import's fault."""

    # the file
    FILE_UNREADABLE = "file_unreadable"
    FILE_TOO_LARGE = "file_too_large"
    FILE_NOT_UTF8 = "file_not_utf8"
    SHEET_EMPTY = "sheet_empty"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    # the header
    COLUMN_MISSING = "column_missing"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_REPEATED = "column_repeated"
    # a cell alone
    CELL_REQUIRED = "cell_required"
    CELL_TOO_LONG = "cell_too_long"
    CELL_HAS_CONTROL_CHARACTER = "cell_has_control_character"
    CELL_IS_AN_ERROR = "cell_is_an_error"
    CELL_NOT_A_DAY = "cell_not_a_day"
    CELL_NOT_WHOLE = "cell_not_whole"
    CELL_OUT_OF_RANGE = "cell_out_of_range"
    CELL_NOT_IN_LIST = "cell_not_in_list"
    CODE_MALFORMED = "code_malformed"
    CODE_IS_A_NUMBER = "code_is_a_number"
    LEADING_ZERO_LOST = "leading_zero_lost"
    NUMBER_MANGLED = "number_mangled"
    PHONE_MALFORMED = "phone_malformed"
    # a row among the others, and in the office
    KEY_REPEATED = "key_repeated"
    NO_SUCH_AREA = "no_such_area"
    NO_SUCH_ORGANISATION = "no_such_organisation"
    NO_SUCH_WORKER = "no_such_worker"
    NO_SUCH_CAMPAIGN = "no_such_campaign"
    NO_SUCH_PARENT = "no_such_parent"
    AREA_IS_NO_COMMUNE = "area_is_no_commune"
    ENDS_BEFORE_IT_BEGINS = "ends_before_it_begins"
    CODE_IN_USE = "code_in_use"
    OUTLIVES_ITS_PARENT = "outlives_its_parent"
    OUTLIVED_BY_A_CHILD = "outlived_by_a_child"
    LEVEL_NOT_BELOW_PARENT = "level_not_below_parent"
    FIXED_ONCE_SET = "fixed_once_set"
    TEAM_DAYS_OVERLAP = "team_days_overlap"
    TEAM_NAME_DIFFERS = "team_name_differs"
    ASSIGNED_TO_NOTHING = "assigned_to_nothing"
    RECORD_WITHDRAWN = "record_withdrawn"
    NUMBER_MISSING = "number_missing"
    NUMBER_OF_ANOTHER = "number_of_another"
    DAY_TO_COME = "day_to_come"
    LAPSED_BUT_VALID = "lapsed_but_valid"
    NO_SUCH_INDICATOR = "no_such_indicator"
    NO_SUCH_TEAM = "no_such_team"
    PLAN_TERMS_DIFFER = "plan_terms_differ"
    PARENT_UNKNOWN = "parent_unknown"
    PARENT_NOT_ABOVE = "parent_not_above"
    PARENT_MISSING = "parent_missing"
    PARENTS_DIFFER = "parents_differ"
    PARENTS_IN_A_CIRCLE = "parents_in_a_circle"
    OVER_ASSIGNED = "over_assigned"
    PHASES_OVERLAP = "phases_overlap"
    PHASES_OVER_QUOTA = "phases_over_quota"
    DENOMINATOR_UNUSABLE = "denominator_unusable"
    FIGURE_EMPTY = "figure_empty"
    RATIO_MALFORMED = "ratio_malformed"
    DENOMINATOR_UNNAMED = "denominator_unnamed"
    DENOMINATOR_UNCLEAR = "denominator_unclear"
    # the import
    TOO_MANY_CHANGES = "too_many_changes"
    IMPORT_HAS_ERRORS = "import_has_errors"
    IMPORT_NOT_CHECKED = "import_not_checked"
    IMPORT_UNDER_WAY = "import_under_way"
    IMPORT_NEEDS_WORKER = "import_needs_worker"
    OFFICE_CHANGED_SINCE = "office_changed_since"
    ENTRY_REFUSED = "entry_refused"
    NOT_APPLIED = "not_applied"
    ROW_REFERRED_TO = "row_referred_to"
    ROW_CHANGED_SINCE = "row_changed_since"


IMPORT_MESSAGES: dict[ImportCode, tuple[str, str]] = {
    ImportCode.FILE_UNREADABLE: (
        "Không đọc được tệp; cần tệp XLSX hoặc CSV",
        "The file cannot be read; it has to be XLSX or CSV",
    ),
    ImportCode.FILE_TOO_LARGE: ("Tệp quá lớn; hãy chia nhỏ", "The file is too large; divide it"),
    ImportCode.FILE_NOT_UTF8: (
        "Tệp CSV không phải UTF-8; hãy lưu lại dạng «CSV UTF-8» hoặc XLSX",
        "The CSV file is not UTF-8; save it as “CSV UTF-8” or XLSX",
    ),
    ImportCode.SHEET_EMPTY: ("Bảng không có dòng nào", "The sheet has no rows"),
    ImportCode.TOO_MANY_ROWS: (
        "Bảng có quá nhiều dòng; hãy chia nhỏ",
        "The sheet has too many rows; divide it",
    ),
    ImportCode.TOO_MANY_COLUMNS: ("Bảng có quá nhiều cột", "The sheet has too many columns"),
    ImportCode.COLUMN_MISSING: ("Thiếu cột bắt buộc", "A required column is missing"),
    ImportCode.COLUMN_UNKNOWN: (
        "Không biết cột này; hãy đổi tên theo mẫu hoặc bỏ cột",
        "This column is unknown; name it as in the template, or remove it",
    ),
    ImportCode.COLUMN_REPEATED: ("Cột có hai lần", "The column is there twice"),
    ImportCode.CELL_REQUIRED: ("Ô bắt buộc đang trống", "A required cell is empty"),
    ImportCode.CELL_TOO_LONG: ("Chữ trong ô quá dài", "The text is too long"),
    ImportCode.CELL_HAS_CONTROL_CHARACTER: ("Ô có ký tự cấm", "The cell holds a forbidden character"),
    ImportCode.CELL_IS_AN_ERROR: (
        "Ô là lỗi của công thức (#N/A, #REF!…)",
        "The cell is a formula's error (#N/A, #REF!…)",
    ),
    ImportCode.CELL_NOT_A_DAY: (
        "Không phải ngày; viết 31/12/2025 hoặc 2025-12-31",
        "Not a day; write 31/12/2025 or 2025-12-31",
    ),
    ImportCode.CELL_NOT_WHOLE: ("Không phải số nguyên", "Not a whole number"),
    ImportCode.CELL_OUT_OF_RANGE: ("Số ngoài giới hạn", "The number is out of range"),
    ImportCode.CELL_NOT_IN_LIST: ("Giá trị không có trong danh sách", "The value is not in the list"),
    ImportCode.CODE_MALFORMED: (
        "Mã chỉ gồm chữ không dấu, số và . _ / -",
        "A code is of plain letters, digits and . _ / -",
    ),
    ImportCode.CODE_IS_A_NUMBER: (
        "Mã đang là số và có thể đã mất số 0 ở đầu; hãy định dạng ô là Văn bản rồi gõ lại",
        "The code is a number and may have lost leading zeros; format the cell as Text and type it again",
    ),
    ImportCode.LEADING_ZERO_LOST: (
        "Bảng tính đã làm mất số 0 ở đầu; hãy định dạng ô là Văn bản rồi gõ lại",
        "The spreadsheet lost leading zeros; format the cell as Text and type it again",
    ),
    ImportCode.NUMBER_MANGLED: (
        "Bảng tính đã viết lại số (1,23E+11) nên không còn đúng; hãy định dạng ô là Văn bản rồi gõ lại",
        "The spreadsheet rewrote the number (1.23E+11); format the cell as Text and type it again",
    ),
    ImportCode.PHONE_MALFORMED: ("Số điện thoại không đúng", "The phone number is malformed"),
    ImportCode.KEY_REPEATED: ("Khoá này đã có ở một dòng trên", "A row above has the same key"),
    ImportCode.NO_SUCH_AREA: ("Không có địa bàn này vào ngày đó", "There is no such area on that day"),
    ImportCode.NO_SUCH_ORGANISATION: (
        "Không có đơn vị này vào ngày đó",
        "There is no such organisation on that day",
    ),
    ImportCode.NO_SUCH_WORKER: ("Không có nhân viên mang mã này", "No worker has this code"),
    ImportCode.NO_SUCH_CAMPAIGN: ("Không có chiến dịch này", "There is no such campaign"),
    ImportCode.NO_SUCH_PARENT: (
        "Cấp trên không tồn tại vào ngày đầu",
        "The parent does not exist on the first day",
    ),
    ImportCode.AREA_IS_NO_COMMUNE: ("Hộ phải thuộc một xã, phường", "A household lies in a commune"),
    ImportCode.ENDS_BEFORE_IT_BEGINS: ("Kết thúc trước khi bắt đầu", "It ends before it begins"),
    ImportCode.CODE_IN_USE: (
        "Mã này đang dùng trong những ngày đó",
        "The code is in use on some of these days",
    ),
    ImportCode.OUTLIVES_ITS_PARENT: ("Kéo dài hơn cấp trên", "It outlives its parent"),
    ImportCode.OUTLIVED_BY_A_CHILD: ("Có cấp dưới kéo dài hơn", "Something below it lasts longer"),
    ImportCode.LEVEL_NOT_BELOW_PARENT: ("Cấp không thấp hơn cấp trên", "Its level is not below its parent's"),
    ImportCode.FIXED_ONCE_SET: (
        "Ô này không đổi được sau khi đã ghi; hãy cho dòng cũ kết thúc và thêm dòng mới",
        "This cannot be changed once it is there; end the old row and add a new one",
    ),
    ImportCode.TEAM_DAYS_OVERLAP: (
        "Nhân viên đã ở một đội trong những ngày đó",
        "The worker is in a team on some of these days",
    ),
    ImportCode.TEAM_NAME_DIFFERS: (
        "Một đội có hai tên trong bảng",
        "The sheet gives the same team two names",
    ),
    ImportCode.ASSIGNED_TO_NOTHING: (
        "Nhân viên thu cần một địa bàn hoặc một đơn vị",
        "An agent needs an area or an organisation",
    ),
    ImportCode.RECORD_WITHDRAWN: (
        "Hộ này đã gộp vào hộ khác; hãy sửa hộ đó",
        "This household was merged into another one; change that one",
    ),
    ImportCode.NUMBER_MISSING: (
        "Cần mã số BHXH hoặc số định danh cá nhân",
        "An insurance number or a personal id is needed",
    ),
    ImportCode.NUMBER_OF_ANOTHER: (
        "Số định danh này đã đi cùng một mã số BHXH khác trong cùng ngày chốt",
        "As of the same day this personal id goes with another insurance number",
    ),
    ImportCode.DAY_TO_COME: ("Ngày chưa đến", "The day has not come yet"),
    ImportCode.LAPSED_BUT_VALID: (
        "Có lý do giảm, nhưng hạn vẫn còn vào ngày chốt",
        "A reason for lapsing, and yet insured on the day of the list",
    ),
    ImportCode.NO_SUCH_INDICATOR: ("Không có chỉ tiêu mang mã này", "No indicator has this code"),
    ImportCode.NO_SUCH_TEAM: ("Không có đội mang mã này", "No team has this code"),
    ImportCode.PLAN_TERMS_DIFFER: (
        "Một kế hoạch chỉ có một quyết định; các dòng của nó phải ghi giống nhau",
        "A plan has one decision; its rows have to say the same of it",
    ),
    **{
        code: PLAN_FAULT_WORDS[str(code)]
        for code in (
            ImportCode.PARENT_UNKNOWN,
            ImportCode.PARENT_NOT_ABOVE,
            ImportCode.PARENT_MISSING,
            ImportCode.PARENTS_DIFFER,
            ImportCode.PARENTS_IN_A_CIRCLE,
            ImportCode.OVER_ASSIGNED,
            ImportCode.PHASES_OVERLAP,
            ImportCode.PHASES_OVER_QUOTA,
            ImportCode.DENOMINATOR_UNUSABLE,
        )
    },
    ImportCode.FIGURE_EMPTY: (
        "Cần số liệu hoặc tỷ lệ đã công bố",
        "A value or a published ratio is needed",
    ),
    ImportCode.RATIO_MALFORMED: (
        "Tỷ lệ không đúng; viết 29,9 hoặc 107",
        "The ratio is malformed; write 29.9 or 107",
    ),
    ImportCode.DENOMINATOR_UNNAMED: (
        "Mẫu số cần tên và ngày",
        "A denominator needs a name and a day",
    ),
    ImportCode.DENOMINATOR_UNCLEAR: (
        "Ghi một mẫu số, hoặc một khoảng từ thấp đến cao",
        "Give one denominator, or bounds from low to high",
    ),
    ImportCode.TOO_MANY_CHANGES: (
        "Quá nhiều dòng thay đổi trong một lần; hãy chia nhỏ bảng",
        "Too many changed rows at once; divide the sheet",
    ),
    ImportCode.IMPORT_HAS_ERRORS: ("Bảng còn lỗi", "The sheet has errors"),
    ImportCode.IMPORT_NOT_CHECKED: (
        "Lần nhập này đã được ghi hoặc đã huỷ",
        "This import was applied or undone before",
    ),
    ImportCode.IMPORT_UNDER_WAY: (
        "Một lần nhập khác đang được ghi; hãy đợi",
        "Another import is being applied; wait for it",
    ),
    ImportCode.IMPORT_NEEDS_WORKER: (
        "Cần biết ai quyết định: một tài khoản của nhân viên",
        "Somebody has to decide this: an account of a worker",
    ),
    ImportCode.OFFICE_CHANGED_SINCE: (
        "Dữ liệu đã đổi từ khi kiểm tra; hãy kiểm tra lại",
        "The office has changed since the check; check the sheet again",
    ),
    ImportCode.ENTRY_REFUSED: (
        "Một dòng bị từ chối khi ghi; hãy huỷ lần nhập này và kiểm tra lại",
        "A row was refused while it was applied; undo this import and check again",
    ),
    ImportCode.NOT_APPLIED: (
        "Chỉ huỷ được lần nhập đã ghi",
        "Only an import that was applied can be undone",
    ),
    ImportCode.ROW_REFERRED_TO: ("Đã có dữ liệu dựa vào dòng này", "Something refers to this row by now"),
    ImportCode.ROW_CHANGED_SINCE: ("Dòng này đã được sửa về sau", "This row was changed since"),
}


def import_message(code: str, language: str = "vi") -> str:
    """Return the text of `code` in `language` ("vi" or "en")."""
    vietnamese, english = IMPORT_MESSAGES[ImportCode(code)]
    return english if language == "en" else vietnamese
