"""`tungnha rates`: one JSON object on the output, or 2 with a code."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from schemas.rate_tables import published_rows
from server.cli import main


def run(*arguments):
    return CliRunner().invoke(main, ["rates", *arguments])


def test_a_voluntary_contribution_is_one_json_object():
    found = run(
        *("voluntary", "--income", "1500000", "--category", "other"),
        *("--months", "12", "--on", "2022-03-01", "--json"),
    )
    assert found.exit_code == 0
    assert json.loads(found.stdout) == {
        "gross_vnd": 3_960_000,
        "support_vnd": 396_000,
        "due_vnd": 3_564_000,
        "warnings": [],
    }


def test_a_household_premium_has_the_same_members():
    found = run("household", "--member", "3", "--months", "6", "--on", "2025-08-15", "--json")
    assert json.loads(found.stdout) == {
        "gross_vnd": 379_080,
        "support_vnd": 0,
        "due_vnd": 379_080,
        "warnings": [],
    }
    helped = run(
        *("household", "--member", "3", "--months", "6", "--on", "2025-08-15"),
        *("--support", "near_poor", "--json"),
    )
    assert json.loads(helped.stdout)["due_vnd"] == 113_724


@pytest.mark.parametrize(
    ("income", "months", "code"),
    [
        ("1450000", "12", "income_below_floor"),
        ("99000000", "12", "income_above_ceiling"),
        ("1510000", "12", "income_off_step"),
        ("1500000", "24", "rate_table_missing"),
    ],
)
def test_what_has_no_amount_exits_with_2_and_its_code(income, months, code):
    found = run(
        *("voluntary", "--income", income, "--category", "other"),
        *("--months", months, "--on", "2022-03-01", "--json"),
    )
    assert found.exit_code == 2
    assert json.loads(found.stdout)["code"] == code
    assert code in found.stderr


def test_a_card_says_its_days():
    found = run("card", "--paid-on", "2025-08-01", "--months", "6", "--json")
    assert json.loads(found.stdout) == {"from_day": "2025-08-31", "to_day": "2026-02-28"}
    assert run("card", "--paid-on", "2025-06-30", "--months", "6").exit_code == 2


def test_people_read_amounts_with_dots_and_warnings_in_both_languages():
    found = run(
        *("voluntary", "--income", "1500000", "--category", "poor", "--months", "12"),
        *("--on", "2022-03-01", "--supported-months", "119"),
    )
    assert "3.960.000" in found.stdout
    assert "Hết số tháng" in found.stdout
    assert "end within this period" in found.stdout


def test_other_tables_take_the_place_of_the_published_ones(tmp_path):
    rows = [
        {**row, "values": {"amount_vnd": 1_000_000}} if row["table"] == "base_salary" else row
        for row in published_rows()
    ]
    path = tmp_path / "rates.json"
    path.write_text(json.dumps({"rows": rows}), encoding="utf-8")
    asked = ("household", "--member", "1", "--months", "3", "--on", "2025-08-15", "--json")
    assert json.loads(run(*asked, "--tables", str(path)).stdout)["due_vnd"] == 135_000
    path.write_text('{"rows": [{}]}', encoding="utf-8")
    assert run(*asked, "--tables", str(path)).exit_code == 2
