"""`tungnha bank`: a statement read in once, its faults told by cell, the books held against its balance."""

from __future__ import annotations

from datetime import date

from click.testing import CliRunner

from server.cli import main
from tests.server.bank.statements import Moved, as_xlsx, debit_credit_rows
from tests.support.funds import FUND, a_fund_office
from tests.support.offices import open_runtime

ACCOUNT = "0112345678"
LINES = [
    Moved(date(2020, 5, 10), 1_500_000, "UNG HO QUY", "FT01"),
    Moved(date(2020, 5, 11), 250_000, "UNG HO QUY THE", "FT02"),
]


def run(*arguments):
    return CliRunner().invoke(main, ["bank", *map(str, arguments)])


def office(environment):
    with open_runtime(environment["TUNGNHA_DATABASE_URL"]) as runtime:
        a_fund_office(runtime)


def test_a_statement_is_read_in_once_and_agrees_with_the_books(environment, tmp_path):
    office(environment)
    file = tmp_path / "may.xlsx"
    file.write_bytes(as_xlsx(debit_credit_rows(LINES, 0, ACCOUNT)))
    assert (
        "2 lines, 2 of them new; nothing was written."
        in run("import", file, "--fund", FUND, "--dry-run").output
    )
    assert run("check", "--fund", FUND).output == "No statement.\n"
    assert "2 lines, 2 of them new; 0 matched." in run("import", file, "--fund", FUND).output
    assert "2 lines, 0 of them new" in run("import", file, "--fund", FUND).output
    checked = run("check", "--fund", FUND)
    assert (checked.exit_code, "No difference." in checked.output) == (0, True)


def test_what_is_wrong_is_told_by_cell_and_nothing_is_read_in(environment, tmp_path):
    office(environment)
    file = tmp_path / "may.csv"
    file.write_text(
        "Ngày giao dịch,Số tham chiếu,Ghi nợ,Ghi có,Số dư,Nội dung\n10/05/2020,FT01,,mười,10,X\n", "utf-8"
    )
    done = run("import", file, "--fund", FUND)
    assert done.exit_code == 1
    assert "D2: «Ghi có»: Không đọc được số tiền · The amount cannot be read" in done.output
    assert "nothing was read in" in done.output
    assert run("check", "--fund", FUND).output == "No statement.\n"


def test_an_unknown_fund_and_an_unknown_mapping_are_refused(environment, tmp_path):
    office(environment)
    file = tmp_path / "may.xlsx"
    file.write_bytes(as_xlsx(debit_credit_rows(LINES, 0, ACCOUNT)))
    assert "Không có quỹ này" in run("import", file, "--fund", FUND + 1).output
    assert "Không có mẫu cột này" in run("import", file, "--fund", FUND, "--mapping", "abc").output


def test_another_layout_is_read_by_a_saved_mapping(environment, tmp_path):
    office(environment)
    file = tmp_path / "may.csv"
    file.write_text("Khi nào,Bao nhiêu,Chuyện gì\n2020-05-10,1500000,UNG HO\n", "utf-8")
    assert run("import", file, "--fund", FUND).exit_code == 1
    columns = [f"--column={pair}" for pair in ("day=Khi nào", "amount=Bao nhiêu", "description=Chuyện gì")]
    assert "needs a name" in run("mapping", "khac", *columns[:2]).output
    assert "is saved" in run("mapping", "khac", *columns).output
    assert "1 lines, 1 of them new" in run("import", file, "--fund", FUND, "--mapping", "khac").output
