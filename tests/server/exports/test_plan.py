"""A plan's tree as a file: the node that the page shows, and what lies below it."""

from __future__ import annotations

import html

import pytest

from tests.server.exports.test_exports import (  # noqa: F401 - fixtures
    client,
    comma_separated,
    watched,
    xlsx,
)
from tests.support.planned_office import YEAR, plan_the_year


@pytest.fixture(scope="module")
def planned(watched):  # noqa: F811
    """The office with a year's plan."""
    plan_the_year(watched.office)
    return watched


def test_the_pages_link_gives_the_rows_of_the_page(client, planned):  # noqa: F811
    page = client.get(f"/plans/{YEAR}").get_data(as_text=True)
    link = html.unescape(page.partition(f'href="/exports/plans/{YEAR}.xlsx')[2].partition('"')[0])
    whole, *below = xlsx(client, f"/exports/plans/{YEAR}.xlsx{link}")[1:]
    assert whole[1:6] == ("Văn phòng", 100, 80, 20, 6)
    assert sum(row[2] for row in below) == 80
    commune = next(row for row in below if row[0] == "Phường 5")
    assert commune[1:6] == ("Địa bàn", 40, 30, 10, 4)
    text = comma_separated(client, f"/exports/plans/{YEAR}.csv{link}")
    assert [row[2] for row in text[1:]] == [str(row[2]) for row in (whole, *below)]


def test_a_plan_of_no_campaign_is_not_there(client, planned):  # noqa: F811
    assert client.get("/exports/plans/999.csv").status_code == 404
