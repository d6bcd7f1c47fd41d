"""What the demo says, Vietnamese first: progress, a receipt, the board, the checks, the log-ins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from schemas.receipt_qr import receipt_matrix, terminal_text
from server.demo.checks import HOLD_OTHERS, Board, Check
from server.demo.figures import DRIVE, FIRST_LAUNCH, SECOND_LAUNCH
from server.demo.fund.plan import FundPlan
from server.demo.office import LogIn
from server.demo.plan import Plan
from server.quotas.board import BoardRow
from server.receipts.wording import amount_text

_TOP_ROWS = 4
_CAMPAIGN_NAMES = {
    FIRST_LAUNCH: "Ra quân 23-5-2020",
    SECOND_LAUNCH: "Ra quân 11-7-2020",
    DRIVE: "Mỗi cán bộ vận động 3 người",
}
_LONGEST = 1200


class Screen:
    """The terminal."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False)

    def say(self, vietnamese: str, english: str) -> None:
        """Print one line in both languages."""
        self._console.print(f"{escape(vietnamese)} [dim]· {escape(english)}[/dim]")

    def introduce(self, plan: Plan, communes: int) -> None:
        """Say what is replayed, and what of it is made up."""
        scale = plan.scale
        self._console.rule("[bold]Từng Nhà[/bold] · Tiền Giang 2020")
        self.say(
            f"Diễn lại năm 2020 trên danh sách {communes} xã, phường, thị trấn của đầu năm 2025.",
            f"Replays 2020 on the list of {communes} communes of early 2025.",
        )
        self.say(
            f"Số liệu tổng là số đã công bố; cách chia cho đại lý, xã và mọi con người là hư cấu "
            f"(hạt giống {plan.seed}).",
            f"Totals are as published; how they split, and every person, is invented (seed {plan.seed}).",
        )
        self.say(
            f"{scale.agents} đại lý có máy, {scale.officers} cán bộ, {sum(map(len, plan.visits.values()))} "
            "nhà; mỗi máy một tiến trình, 8 máy cùng lúc.",
            "every tablet a process of its own, 8 at once, offline until it syncs over HTTP",
        )

    def introduce_fund(self, plan: FundPlan) -> None:
        """Say what of a fund's year is replayed."""
        self._console.rule("Một năm của quỹ «Tặng thẻ BHYT» · A year of a fund")
        self.say(
            "171 triệu của nhân viên, hơn 500 triệu của doanh nghiệp và người hảo tâm trong 20 ngày, "
            f"mục tiêu 2.500 thẻ là số đã công bố; năm 2023, {plan.scale.agents} đại lý và mọi con người "
            "là hư cấu.",
            "The sums and the target are as published; the year, the agents and every person are invented.",
        )

    @contextmanager
    def progress(self, plan: Plan) -> Iterator[tuple[Callable[[str, str], None], Callable[[], None]]]:
        """Show progress: give a function that names the stage, and one that counts a visit."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as progress:
            visits = sum(map(len, plan.visits.values()))
            task = progress.add_task("Nhà đã đến · doors", total=visits)

            def step() -> None:
                progress.advance(task)

            yield self.say, step

    def show_receipt(self, url: str, receipt: dict[str, Any] | None) -> None:
        """Print a receipt with its QR code."""
        if receipt is None:
            return
        self._console.rule("Một biên lai · A receipt")
        matrix = receipt_matrix(f"{url}/r/", receipt["token"])
        # Not through rich, which would wrap the code in a narrow terminal and fold its colours.
        self._console.file.write(terminal_text(matrix) + "\n")
        self._console.print(f"Số {receipt['number']} · {amount_text(receipt['amount_vnd'])}")
        self._console.print(f"{url}/r/{receipt['token']}", markup=False, soft_wrap=True)

    def show_board(self, board: Board) -> None:
        """Print the board's totals, and the first rows of what has a quota."""
        self._console.rule("Bảng chỉ tiêu · The board")
        for campaign, indicators in board.totals.items():
            table = Table(_CAMPAIGN_NAMES[campaign])
            for heading in ("Đạt\nDone", "Chỉ tiêu\nQuota", "%", "Công bố\nQuoted"):
                table.add_column(heading, justify="right")
            for total in indicators.values():
                quoted = ", ".join(
                    f"{each.quoted_percent} %{' ≠ lệch' if each.is_misquoted else ''}"
                    for each in total.quoted
                )
                name = f"{total.row.indicator_vi} · {total.row.indicator_en}"
                _add_row(table, name, total.row, quoted, "bold")
                mine = [
                    row
                    for row in board.rows[campaign]
                    if row.indicator == total.row.indicator and row.holder_kind not in HOLD_OTHERS
                ]
                best = sorted(mine, key=lambda row: (-row.sums.counted, row.name or ""))
                for row in best[: _TOP_ROWS if total.row.quota else 0]:
                    _add_row(table, f"  {row.name or '–'}", row, "", None)
            self._console.print(table)

    def show_checks(self, found: Sequence[Check], seconds: float) -> None:
        """Print every check, and what differs at length."""
        self._console.rule("Đối chiếu · Checks")
        for check in found:
            mark = "[green]✓[/green]" if check.is_right else "[red]✗[/red]"
            names = f"{escape(check.name[0])} [dim]· {escape(check.name[1])}[/dim]"
            value = "" if check.expected in ([], {}) else f": {check.found}"
            self._console.print(f"{mark} {names}{escape(value) if check.is_right else ''}", soft_wrap=True)
        wrong = [check for check in found if not check.is_right]
        for check in wrong:
            expected, what = str(check.expected)[:_LONGEST], str(check.found)[:_LONGEST]
            self._console.print(f"\n[red]{escape(check.name[0])}[/red]", soft_wrap=True)
            self._console.print(f"  cần có · expected: {expected}", markup=False, soft_wrap=True)
            self._console.print(f"  thực tế · found:   {what}", markup=False, soft_wrap=True)
        if wrong:
            self.say(f"LỆCH {len(wrong)} mục sau {seconds:.0f} giây", f"{len(wrong)} DIFFER")
        else:
            self.say(f"Mọi con số đều khớp, sau {seconds:.0f} giây.", "Every figure agrees.")

    def show_addresses(self, url: str, log_ins: Sequence[LogIn]) -> None:
        """Print where the office is served and who may log in; the passwords are random."""
        self._console.rule("Đăng nhập · Log in")
        self._console.print(f"{url}/board?campaign={DRIVE}", markup=False)
        for log_in in log_ins:
            self._console.print(f"  {log_in.login:<10} {log_in.password}   {log_in.role}", markup=False)

    def invite(self) -> None:
        """Say how it ends."""
        self.say("Máy chủ đang chạy. Ctrl-C để kết thúc.", "Serving until Ctrl-C.")


def _add_row(table: Table, name: str, row: BoardRow, quoted: str, style: str | None) -> None:
    percent = "" if row.percent is None else str(row.percent).replace(".", ",")
    quota = "" if row.quota is None else f"{row.quota:,}".replace(",", ".")
    done = f"{row.sums.done:,}".replace(",", ".")
    table.add_row(escape(name), done, quota, percent, quoted, style=style)
