"""The tables, each made of what its page is made of: who may see a page sees no more in its file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from schemas.messages import message
from server.acceptance.queries import acceptance_page, statement_page
from server.dashboard.boards import BoardChoice, BoardPage, agent_quotas, board_page, promoted_figures
from server.dashboard.plan_pages import PlanChoice, plan_page
from server.dashboard.queries import (
    Sight,
    agent_credits,
    agent_entries,
    devices_page,
    incidents_page,
    quarantine_page,
    receipt_incidents,
)
from server.dashboard.rules import BoardLine, Listing
from server.dashboard.wiring import Look
from server.dashboard.wording import word_of
from server.exports.table import ExportedTable, every_page
from server.imports.kept import faults_of, run_of
from server.imports.report import shown_faults
from server.people.duplicates import DistinctRecords, DuplicatePair
from server.spreadsheets import ROWS_MOST, Cell
from server.workbench.queries import (
    PairsPage,
    dispute_list,
    distinct_list,
    duplicate_list,
    merged_list,
    quarantine_filter,
)
from server.workbench.rules import QuarantineChoice

_AGENT, _DEVICE, _PLACE = ("Nhân viên", "Agent"), ("Máy số", "Tablet"), ("Máy / số", "Tablet / number")
_STATE, _AREA, _RECORD, _AT = ("Tình trạng", "State"), ("Địa bàn", "Area"), ("Hồ sơ", "Record"), ("Lúc", "At")
_Line = TypeVar("_Line")
_Names = dict[str, str]
_PAIR = (
    _RECORD,
    ("Loại", "Type"),
    _AREA,
    ("Hồ sơ ghi sau", "Later record"),
    ("Địa bàn của hồ sơ sau", "Area of the later record"),
)


class Tables:
    """Makes tables of one snapshot, for one reader, in the reader's language."""

    def __init__(self, seen: Look, zone: ZoneInfo, language: str) -> None:
        self._seen, self._zone, self._language = seen, zone, language

    def board(self, campaign: int | None, indicator: str | None, holder: str | None) -> ExportedTable | None:
        """Return a campaign's board."""
        seen = self._seen

        def board(number: int) -> BoardPage | None:
            choice = BoardChoice(campaign, indicator, holder, order="name", page=number)
            return board_page(seen.connection, choice, seen.sight, seen.now_ms, self._zone)

        found = board(1)
        if found is None:
            return None

        def page(number: int) -> tuple[list[BoardLine], Listing]:
            shown = found if number == 1 else board(number)
            assert shown is not None
            return shown.lines, shown.listing

        return self._board_table(found, every_page(page))

    def _board_table(self, found: BoardPage, lines: list[BoardLine]) -> ExportedTable:
        plans = [plan.kind for plan in found.totals]
        titles: list[tuple[str, str]] = [
            ("Tên", "Name"),
            ("Đơn vị", "Organisation"),
            ("Đội", "Team"),
            ("Đã tính", "Counted"),
        ]
        for kind in plans:
            vietnamese, english = word_of(kind, "vi"), word_of(kind, "en")
            titles += [
                (f"{vietnamese}: giao", f"{english}: quota"),
                (f"{vietnamese}: cần đạt đến hôm nay", f"{english}: expected by today"),
            ]
        titles += [("Đồng bộ gần nhất", "Last sync"), ("Chưa gửi", "Unsent"), ("Mức chắc chắn", "Standing")]
        rows: list[tuple[Cell, ...]] = []
        for line in lines:
            figures = {plan.kind: plan for plan in line.plans}
            cells: list[Cell] = [line.name, line.organisation, line.team, line.done]
            for kind in plans:
                plan = figures.get(kind)
                cells += [None, None] if plan is None else [plan.quota, plan.expected]
            sync = line.sync
            cells += [None, None] if sync is None else [self._at(sync.last_sync_ms), sync.unsent]
            rows.append((*cells, self._word(f"standing_{line.standing}")))
        return ExportedTable(("Chỉ tiêu", "Quotas"), tuple(titles), rows)

    def plan(self, campaign: int, choice: PlanChoice) -> ExportedTable | None:
        """Return whom a plan asks for how much: a node of its tree, and what lies right below it."""
        seen = self._seen
        found = plan_page(seen.connection, campaign, choice, seen.sight, seen.now_ms, self._zone)
        if found is None:
            return None
        titles = (
            ("Nơi nhận", "Holder"),
            ("Loại", "Kind"),
            ("Được giao", "Quota"),
            ("Đã giao tiếp", "Assigned below"),
            ("Dự phòng", "Reserve"),
            ("Đã tính", "Counted"),
            ("Cần đạt đến hôm nay", "Expected by today"),
        )
        rows = [
            (
                self._word("one_office") if line.holder.kind == "office" else line.name,
                self._word(f"one_{line.holder.kind}"),
                line.amount,
                # Who hands nothing on has no reserve either.
                None if line.reserve is None else line.assigned,
                line.reserve,
                line.done,
                line.expected,
            )
            for line in ([] if found.node is None else [found.node]) + found.lines
        ]
        return ExportedTable(("Kế hoạch", "Plan"), titles, rows)

    def agent_entries(self, worker_id: str) -> ExportedTable:
        """Return what an agent's tablets delivered."""
        lines = every_page(lambda number: agent_entries(self._seen.connection, worker_id, number))
        titles = (
            ("Mục", "Entry"),
            _PLACE,
            ("Máy ghi lúc", "Captured"),
            ("Nhận lúc", "Received"),
            ("Phán quyết", "Verdict"),
            ("Hiện nay", "By now"),
            ("Lý do", "Reason"),
            ("Ghi chú", "Flags"),
        )
        rows = [
            (
                self._word(line.entry.kind),
                line.place,
                self._at(line.entry.wall_ms),
                self._at(line.entry.received_ms),
                self._word(line.entry.verdict),
                self._word(line.entry.state),
                self._code(line.entry.code or line.entry.verdict_code),
                ", ".join(filter(None, map(self._code, line.entry.flags))) or None,
            )
            for line in lines
        ]
        return ExportedTable(("Nhật ký đã nhận", "Entries"), titles, rows)

    def agent_credits(self, worker_id: str, state: str | None) -> ExportedTable:
        """Return what each thing counts that an agent recorded, or others for them, of one state or any."""
        seen = self._seen
        promoted = promoted_figures(agent_quotas(seen.connection, worker_id, seen.now_ms, self._zone))
        lines = every_page(lambda number: agent_credits(seen.connection, worker_id, promoted, state, number))
        titles = (
            ("Ngày", "Day"),
            ("Chỉ tiêu", "Indicator"),
            ("Chiến dịch", "Campaign"),
            ("Tính cho", "Credited to"),
            ("Kết quả", "Result"),
            ("Vì sao", "Why"),
            ("Mã của mục", "Entry id"),
        )
        rows = [
            (
                line.credit.business_day,
                line.indicator[self._language == "en"],
                line.campaign,
                self._word(line.credit.holder_kind),
                self._word(line.credit.state),
                None if line.credit.state == "counted" else self._word(f"reason_{line.credit.reason}"),
                line.credit.fact_id,
            )
            for line in lines
        ]
        return ExportedTable(("Ghi công", "Credits"), titles, rows)

    def devices(self) -> ExportedTable:
        """Return the tablets."""
        seen = self._seen
        lines = every_page(lambda number: devices_page(seen.connection, seen.sight, number, seen.now_ms))
        titles = (
            _AGENT,
            _DEVICE,
            ("Trạng thái", "State"),
            ("Đồng bộ gần nhất", "Last sync"),
            ("Chưa gửi", "Unsent"),
            ("Phiên bản", "Version"),
            ("Đăng ký lúc", "Enrolled"),
        )
        rows = [
            (
                line.worker_name,
                line.number,
                self._word(f"installation_{line.state}"),
                self._at(line.sync.last_sync_ms),
                line.sync.unsent,
                line.app_version,
                self._at(line.enrolled_ms),
            )
            for line in lines
        ]
        return ExportedTable(("Thiết bị", "Tablets"), titles, rows)

    def incidents(self) -> ExportedTable:
        """Return forks, reused ids and reused receipt numbers."""
        seen = self._seen
        lines = every_page(lambda number: incidents_page(seen.connection, seen.sight, number))
        rows: list[tuple[Cell, ...]] = [
            (
                self._word(f"incident_{line.incident.kind}"),
                line.worker_name,
                line.place,
                self._at(line.incident.at_ms),
                line.contested,
            )
            for line in lines
        ]
        reused = ("Số biên lai dùng hai lần", "Receipt number used twice")[self._language == "en"]
        rows += [
            (reused, each.worker_name, each.number, self._at(each.opened_ms), None)
            for each in receipt_incidents(seen.connection, seen.sight)
        ]
        titles = (("Sự cố", "Incident"), _AGENT, _PLACE, _AT, ("Bằng chứng giữ lại", "Evidence kept"))
        return ExportedTable(("Sự cố", "Incidents"), titles, rows)

    def quarantine(self, choice: QuarantineChoice) -> ExportedTable:
        """Return what somebody has to settle, of that what the page's filters leave."""
        seen, wanted = self._seen, quarantine_filter(choice, self._seen.now_ms)
        lines = every_page(lambda number: quarantine_page(seen.connection, seen.sight, number, wanted))
        titles = (
            ("Lý do", "Reason"),
            ("Ô", "Field"),
            ("Mục", "Entry"),
            _AGENT,
            _PLACE,
            ("Nhận lúc", "Received"),
            ("Trả lại lúc", "Sent back"),
        )
        rows = [
            (
                self._code(line.entry.code),
                line.entry.field,
                self._word(line.entry.kind),
                line.worker_name,
                line.place,
                self._at(line.entry.received_ms),
                self._at(line.entry.returned_ms),
            )
            for line in lines
        ]
        return ExportedTable(("Bị giữ lại", "Quarantine"), titles, rows)

    def conflicts(self) -> ExportedTable:
        """Return the records in dispute."""
        seen = self._seen
        lines = every_page(lambda number: dispute_list(seen.connection, seen.sight, number))
        titles = (_RECORD, ("Loại", "Type"), ("Ô trùng", "Fields"), _AREA, ("Phát hiện", "Found"))
        rows = [
            (
                line.record.name,
                self._word(f"record_{line.record.record_type}"),
                ", ".join(str(self._word(f"field_{name}")) for name in line.record.fields),
                line.area_name,
                self._at(line.record.found_ms),
            )
            for line in lines
        ]
        return ExportedTable(("Sửa trùng", "Conflicts"), titles, rows)

    def duplicates(self) -> ExportedTable:
        """Return the pairs of records that may be one."""
        rows: list[tuple[Cell, ...]] = [
            (*self._pair(pair, areas), self._word(f"shared_{pair.reason}"))
            for pair, areas, _ in self._pairs(duplicate_list)
        ]
        return ExportedTable(("Hồ sơ trùng", "Duplicates"), (*_PAIR, ("Vì sao", "Why")), rows)

    def distinct(self) -> ExportedTable:
        """Return the pairs of records that were called two, with who said so and when."""
        rows: list[tuple[Cell, ...]] = [
            (
                *self._pair(pair, areas),
                people.get(pair.decided_by),
                self._at(pair.decided_ms),
            )
            for pair, areas, people in self._pairs(distinct_list)
        ]
        titles = (*_PAIR, ("Người quyết định", "Decided by"), _AT)
        return ExportedTable(("Không trùng", "Not duplicates"), titles, rows)

    def _pairs(
        self, listed: Callable[[Connection, Sight, int], PairsPage[_Line]]
    ) -> list[tuple[_Line, _Names, _Names]]:
        """Return all lines of a list of pairs, each with the names of areas and people."""

        def page(number: int) -> tuple[list[tuple[_Line, _Names, _Names]], Listing]:
            found = listed(self._seen.connection, self._seen.sight, number)
            return [(line, found.areas, found.people) for line in found.lines], found.listing

        return every_page(page)

    def _pair(self, pair: DuplicatePair | DistinctRecords, areas: _Names) -> tuple[Cell, ...]:
        return (
            pair.first_name,
            self._word(f"record_{pair.record_type}"),
            areas[pair.first_area],
            pair.other_name,
            areas[pair.other_area],
        )

    def merged_records(self) -> ExportedTable:
        """Return the records that are parts of others."""
        titles = (_RECORD, ("Loại", "Type"), _AREA, ("Đã gộp vào", "Merged into"))
        rows: list[tuple[Cell, ...]] = [
            (each.name, self._word(f"record_{each.record_type}"), areas[each.area_key], each.into_name)
            for each, areas, _ in self._pairs(merged_list)
        ]
        return ExportedTable(("Hồ sơ đã gộp", "Merged records"), titles, rows)

    def statements(self, account_id: str, campaign: int | None) -> ExportedTable | None:
        """Return the statements of a campaign."""
        seen = self._seen
        found = acceptance_page(seen.connection, seen.sight, account_id, campaign, seen.now_ms, self._zone)
        if found is None:
            return None
        titles = (
            ("Số", "Number"),
            ("Từ ngày", "From"),
            ("Đến ngày", "To"),
            ("Nghiệm thu lúc", "Accepted"),
            ("Người nghiệm thu", "By"),
            ("Thiếu máy", "Tablets missing"),
            ("Chưa điều chỉnh", "Not posted"),
        )
        rows = [
            (
                item.statement.number,
                item.statement.from_day,
                item.statement.to_day,
                self._at(item.statement.accepted_ms),
                item.accepted_by,
                item.statement.outstanding,
                item.moved,
            )
            for item in found.statements
        ]
        return ExportedTable(("Nghiệm thu", "Statements"), titles, rows)

    def statement_lines(self, number: int) -> ExportedTable | None:
        """Return the lines of one statement."""
        found = statement_page(self._seen.connection, self._seen.sight, number)
        if found is None:
            return None
        titles = (
            ("Tên", "Name"),
            ("Vai", "Role"),
            ("Chỉ tiêu", "Indicator"),
            ("Trong kỳ", "In the period"),
            ("Kỳ trước chuyển sang", "Carried"),
            ("Chi trả", "Paid"),
            ("Điều chỉnh", "Adjusted"),
            ("Tính lại", "Recounted"),
            ("Chênh lệch", "Difference"),
        )
        rows = [
            (
                each.name,
                self._word(each.line.holder_kind),
                each.indicator[self._language == "en"],
                each.line.counted,
                each.line.carried,
                each.line.paid,
                each.adjusted,
                each.recounted,
                each.difference,
            )
            for each in found.lines
        ]
        return ExportedTable((f"Nghiệm thu số {number}", f"Statement {number}"), titles, rows)

    def import_faults(self, import_id: str) -> ExportedTable | None:
        """Return what is wrong with a sheet, None where there is no such import."""
        run = run_of(self._seen.connection, import_id)
        if run is None:
            return None
        # A sheet has at most so many rows, and so many columns are looked at in each.
        found = faults_of(self._seen.connection, import_id, limit=ROWS_MOST)
        titles = (("Ô", "Cell"), ("Cột", "Column"), ("Lỗi", "Error"), ("Mã lỗi", "Code"))
        rows = [
            (each.cell or None, each.title or None, each.text, each.code)
            for each in shown_faults(run.sheet, found, self._language)
        ]
        return ExportedTable(("Lỗi trong bảng", "Errors in the sheet"), titles, rows)

    def _at(self, at_ms: int | None) -> str | None:
        """Return a moment of the office, in an order that spreadsheets sort by."""
        if at_ms is None:
            return None
        seconds = min(max(at_ms // 1000, -62_135_510_400), 253_402_214_400)
        return f"{datetime.fromtimestamp(seconds, tz=UTC).astimezone(self._zone):%Y-%m-%d %H:%M}"

    def _word(self, value: str | None) -> str | None:
        return None if value is None else word_of(value, self._language)

    def _code(self, code: str | None) -> str | None:
        return None if code is None else message(code, self._language)
