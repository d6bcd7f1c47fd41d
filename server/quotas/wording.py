"""The tables of words for credits and plans: (Vietnamese, English). Pages and commands take theirs here."""

from __future__ import annotations

STATE_WORDS: dict[str, tuple[str, str]] = {
    "counted": ("Đã tính", "Counted"),
    "pending": ("Chờ đóng tiền", "Awaiting payment"),
    "duplicate": ("Trùng", "Duplicate"),
    "over_limit": ("Vượt mức tính", "Over the limit"),
    "out_of_area": ("Ngoài địa bàn", "Out of area"),
    "voided": ("Đã huỷ", "Voided"),
    "late": ("Ngoài thời gian", "Out of time"),
}

REASON_WORDS: dict[str, tuple[str, str]] = {
    "counted": ("Được tính cho chỉ tiêu này", "Counts for this indicator"),
    "not_paid_yet": ("Chưa đóng tiền", "Not paid yet"),
    "subject_already_counted": ("Đã tính ở một mục khác", "Already counted through another entry"),
    "subject_cap_reached": (
        "Người hoặc hộ này đã đủ số lần được tính",
        "This person or household has counted as often as it may",
    ),
    "holder_cap_reached": ("Đã đủ số được tính tối đa", "As many as may count have counted already"),
    "not_assigned_there": (
        "Lúc ghi, nhân viên không được phân công ở địa bàn này",
        "The agent was not assigned to this area at the time",
    ),
    "entry_voided": ("Mục đã được huỷ", "The entry was voided"),
    "before_campaign": ("Trước ngày bắt đầu chiến dịch", "Before the campaign began"),
    "after_campaign": ("Sau ngày kết thúc chiến dịch", "After the campaign ended"),
    "captured_after_close": (
        "Không chứng minh được đã ghi trong vòng 15 ngày sau khi chiến dịch kết thúc",
        "It cannot be shown that this was recorded within 15 days of the campaign's end",
    ),
    "campaign_unknown": ("Văn phòng không có chiến dịch này", "The office has no such campaign"),
}

# Why a plan cannot be adopted; see trees.plan_fault.
PLAN_FAULT_WORDS: dict[str, tuple[str, str]] = {
    "plan_kind_unknown": (
        "Kế hoạch chỉ có thể là initial (ban đầu) hoặc supplementary (bổ sung)",
        "A plan is either initial or supplementary",
    ),
    "zone_missing": (
        "Cần múi giờ của văn phòng để biết ngày hiệu lực bắt đầu lúc nào",
        "The office's time zone is needed to know when the first day begins",
    ),
    "indicator_unknown": ("Không có chỉ tiêu này", "There is no such indicator"),
    "holder_kind_unknown": ("Không có loại đơn vị nhận chỉ tiêu này", "There is no such kind of holder"),
    "office_is_one": (
        "Văn phòng chỉ có một, mã là office",
        "There is one office, and its key is office",
    ),
    "amount_below_zero": ("Chỉ tiêu không được âm", "A quota cannot be below zero"),
    "days_reversed": ("Ngày cuối trước ngày đầu", "The last day is before the first"),
    "quota_twice": (
        "Một nơi được giao hai lần cùng chỉ tiêu từ cùng một ngày",
        "One holder has two quotas from the same day",
    ),
    "quoted_not_a_number": ("Tỷ lệ đã công bố không phải là số", "The quoted percentage is no number"),
    "denominator_unusable": (
        "Khoảng suy từ tỷ lệ phải tăng dần, lớn hơn 0, và kế hoạch chưa giao số cụ thể",
        "Bounds go upwards from above 0, and only where the plan gives no number",
    ),
    "published_without_ratio": (
        "Số đã công bố phải lớn hơn 0 và đi cùng tỷ lệ đã công bố",
        "A published number is above 0 and comes with its published ratio",
    ),
    "parents_differ": (
        "Một nơi thuộc hai nơi cấp trên khác nhau",
        "One holder stands under two different ones",
    ),
    "parent_unknown": ("Nơi cấp trên không có trong kế hoạch", "The one above is not in the plan"),
    "parent_not_above": (
        "Nơi cấp trên không thể giao cho loại này: văn phòng → địa bàn hoặc đơn vị → đội → người",
        "The one above cannot hold this kind: office → area or organisation → team → person",
    ),
    "parent_missing": (
        "Khi có chỉ tiêu của văn phòng, mọi nơi khác phải ghi nơi cấp trên",
        "Where the office has a quota, everybody else has to name the one above",
    ),
    "parents_in_a_circle": (
        "Các nơi cấp trên tạo thành vòng",
        "The holders stand above each other in a circle",
    ),
    "over_assigned": (
        "Tổng giao cho cấp dưới vượt chỉ tiêu của cấp trên",
        "Those below are together asked for more than the one above",
    ),
    "phase_unusable": (
        "Giai đoạn cần tên, loại (year, quarter, month, week, launch_day) và ngày đúng thứ tự",
        "A phase needs a name, a kind (year, quarter, month, week, launch_day) and days in order",
    ),
    "phase_twice": ("Hai giai đoạn trùng mã", "Two phases have one code"),
    "phase_unknown": (
        "Chỉ tiêu nêu giai đoạn không có hoặc nêu hai lần",
        "A quota names a phase that is not there, or twice",
    ),
    "phases_overlap": (
        "Các giai đoạn chồng lên nhau một phần, hoặc nằm ngoài chỉ tiêu",
        "Phases lie half over each other, or outside the quota",
    ),
    "phases_over_quota": (
        "Các giai đoạn cộng lại vượt chỉ tiêu, hoặc vượt giai đoạn chứa chúng",
        "Phases ask for more than the quota, or than the phase around them",
    ),
    "minimum_twice": ("Hai mức tối thiểu trùng mã", "Two minimums have one code"),
    "minimum_unusable": (
        "Mức tối thiểu cần ít nhất một chỉ tiêu, mỗi chỉ tiêu một lần, từ 1 trở lên",
        "A minimum needs one indicator at least, each once, from 1 upwards",
    ),
    "minimum_of_persons": (
        "Mức tối thiểu chỉ giao cho nhân viên, hoặc chỉ cho người vận động",
        "A minimum is asked of agents alone, or of promoters alone",
    ),
    "minimum_not_credited": (
        "Chỉ tiêu của mức tối thiểu không ghi công cho loại người này",
        "An indicator of the minimum does not credit such persons",
    ),
}
