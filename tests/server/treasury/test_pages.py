"""The treasurer's pages: what they show is what the books say, and what they decide two people decide."""

from __future__ import annotations

import pytest

from tests.support.funds import FUND

PAGES = ("", "/donations", "/pledges", "/remittances", "/nominations", "/cards", "/payouts", "/settings")


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("login", ["thuquy", "kiemtoan"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_an_empty_fund_opens(treasury, path, login, lang):
    answer = treasury.get(path, login, lang=lang)
    assert answer.status_code == 200
    assert f'<html lang="{lang}">' in answer.get_data(as_text=True)


def test_a_fund_that_is_not_there_has_no_page(treasury):
    client = treasury.browser()
    assert [client.get(f"/treasury/{FUND + 1}{path}").status_code for path in PAGES] == [404] * len(PAGES)


def test_who_may_not_see_the_board_begins_at_the_funds(treasury):
    assert treasury.browser().get("/").headers["Location"] == "/treasury"
