"""The page of the bank: a statement read in once, its faults by cell, lines matched and matches undone."""

from __future__ import annotations

import io
import re
from datetime import date

from server.bank.queries import standing_matches, unmatched_lines
from tests.server.bank.statements import Moved, as_xlsx, debit_credit_rows
from tests.support.funds import FUND

ACCOUNT = "0112345678"
DAY = date(2020, 5, 10)
LINES = [Moved(DAY, 1_500_000, "CTY MAU UNG HO", "FT01"), Moved(DAY, -11_000, "THU PHI", "FT02")]


def uploaded(treasury, content=None, login="thuquy", **fields):
    content = content or as_xlsx(debit_credit_rows(LINES, 0, ACCOUNT))
    return treasury.post("/bank", login, file=(io.BytesIO(content), "sao-ke.xlsx"), **fields)


def open_lines(treasury):
    return treasury.office.read(unmatched_lines, FUND)


def test_a_statement_is_looked_at_read_in_and_counted_once(treasury, words):
    looked = uploaded(treasury, dry_run="1")
    assert "done=checked" in looked.location
    assert open_lines(treasury) == []
    assert uploaded(treasury).status_code == 303
    assert "new=0" in uploaded(treasury).location
    shown = words(treasury.get("/bank"))
    assert "CTY MAU UNG HO" in shown
    assert "khớp" in shown
    assert treasury.office.standing.bank_vnd == 1_489_000


def test_faults_are_told_by_cell_and_nothing_is_read_in(treasury, words):
    bad = as_xlsx(
        [
            ["Ngày giao dịch", "Số tham chiếu", "Ghi nợ", "Ghi có", "Số dư", "Nội dung"],
            ["10/05/2020", "FT1", None, "mười", None, "X"],
        ]
    )
    answer = uploaded(treasury, bad)
    assert answer.status_code == 422
    assert "D2 «Ghi có» Không đọc được số tiền" in words(answer)
    assert uploaded(treasury, b" ").status_code == 422
    assert open_lines(treasury) == []


def test_a_line_becomes_a_donation_another_is_nothing_and_a_match_is_undone(treasury, words):
    uploaded(treasury)
    by_amount = {line.amount_vnd: line for line in open_lines(treasury)}
    gift = {
        "choice": "new_donation",
        "amount_vnd": "1500000",
        "donor_class": "company",
        "donor_name": "Cty Mẫu",
    }
    assert treasury.post(f"/bank/lines/{by_amount[1_500_000].id}", **gift).status_code == 303
    assert treasury.post(f"/bank/lines/{by_amount[-11_000].id}", choice="nothing").status_code == 303
    assert open_lines(treasury) == []
    assert treasury.office.standing.free_vnd == {"any": 1_500_000}
    again = treasury.post(f"/bank/lines/{by_amount[1_500_000].id}", choice="nothing")
    assert (again.status_code, "Dòng này đã được đối chiếu" in words(again)) == (409, True)
    matches = treasury.office.read(standing_matches, FUND)
    [fee] = [match for line, match in matches if line.amount_vnd < 0]
    assert treasury.post(f"/bank/matches/{fee.id}/undo", reason="sai").status_code == 409
    assert treasury.post(f"/bank/matches/{fee.id}/undo", reason="Ghi nhầm dòng phí").status_code == 303
    assert [line.amount_vnd for line in open_lines(treasury)] == [-11_000]


def test_a_suggestion_is_chosen_from_the_list(treasury, words):
    uploaded(treasury)
    [line] = [each for each in open_lines(treasury) if each.amount_vnd > 0]
    entry = treasury.office.door_donation(1_500_000, method="transfer")
    page = treasury.get("/bank").get_data(as_text=True)
    assert f'value="door_donation:{entry}"' in page
    assert treasury.post(f"/bank/lines/{line.id}", choice=f"door_donation:{entry}").status_code == 303
    assert treasury.office.standing.claimed_vnd == {"any": 0}


def test_an_auditor_reads_sums_and_neither_texts_nor_forms(treasury, words):
    uploaded(treasury)
    [line, *_] = open_lines(treasury)
    answer = treasury.get("/bank", "kiemtoan")
    assert answer.status_code == 200
    assert "CTY MAU" not in words(answer)
    assert re.search(r"1[.]500[.]000", words(answer))
    assert treasury.post(f"/bank/lines/{line.id}", "kiemtoan", choice="nothing").status_code == 403
    assert uploaded(treasury, login="kiemtoan").status_code == 403


def test_what_is_unknown_or_another_funds_is_refused(treasury, words):
    uploaded(treasury)
    [line, *_] = open_lines(treasury)
    assert treasury.post("/bank/lines/abc", choice="nothing").status_code == 404
    assert treasury.post(f"/bank/lines/{line.id}", choice="bounced").status_code == 422
    assert treasury.post(f"/bank/lines/{line.id}", choice="refund:abc").status_code == 409
    refused = uploaded(treasury, mapping="khac")
    assert (refused.status_code, "Không có mẫu cột này" in words(refused)) == (409, True)
