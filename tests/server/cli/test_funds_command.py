"""`tungnha funds`: a fund set up, its pools, where it stands, and its books held against its rows."""

from __future__ import annotations

import json

from click.testing import CliRunner
from sqlalchemy import text

from server.cli import main
from tests.support.funds import a_fund_office
from tests.support.offices import open_runtime


def run(*arguments):
    return CliRunner().invoke(main, ["funds", *arguments])


def created(*more):
    return run(
        "create",
        "7",
        *("--name", "Quỹ thẻ"),
        *("--name-en", "Cards"),
        *("--purpose", "Mua thẻ"),
        *("--purpose-en", "To buy cards"),
        *("--target-cards", "2500"),
        *("--months", "3"),
        *("--opens-on", "2020-05-01"),
        *("--bank-account", "0112345678"),
        *("--bank-holder", "BHXH"),
        *more,
    )


def test_a_fund_is_set_up_once_and_shown(environment):
    assert "set up" in created("--bank-bin", "970403").output
    again = created("--bank-bin", "970403")
    assert again.exit_code == 1
    assert "fund_exists" in again.output
    assert "Số quỹ này đã được dùng" in again.output
    shown = run("standing", "7").output
    assert "Quỹ thẻ · Cards" in shown
    assert "Lời kêu gọi và tài khoản nhận: Quá hạn" in shown
    assert run("standing", "8").exit_code == 1


def test_the_usual_pools_come_with_rules_that_say_they_are_assumed(environment):
    assert "No pool" in run("pools").output
    shown = run("pools", "--seed").output
    assert "returned_workers" in shown
    assert shown.count("(assumed)") == 5
    assert run("pools").output == shown


def test_what_the_money_buys_and_a_difference_in_the_books_are_shown(environment):
    url = environment["TUNGNHA_DATABASE_URL"]
    with open_runtime(url) as runtime:
        a_fund_office(runtime).cash(671_000_000)
    assert json.loads(run("standing", "7", "--json").output)["spendable_vnd"] == {"any": 671_000_000}
    assert run("verify").output == "No difference.\n"
    with open_runtime(url) as runtime, runtime.transactions.writing() as connection:
        connection.execute(text("DELETE FROM ledger_line"))
    found = run("verify")
    assert (found.exit_code, found.output.count("is missing")) == (1, 1)
    assert run("verify", "--post-missing").output == "Posted: 1\nNo difference.\n"
