"""A wrong amount on the agent's page: the declared one beside what the rate tables say."""

from __future__ import annotations

import html
import re

from schemas.rate_tables import published_rows
from server.office.actions import load_rates
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import small_office
from tests.support.staff import an_account, log_in


def test_the_expected_amount_stands_beside_the_declared_one(tmp_path):
    with small_office(f"sqlite:///{tmp_path / 'office.sqlite3'}") as office:
        an_account(office.runtime, "quanly", "administrator")
        office.change(lambda change: load_rates(change, published_rows()))
        tablet = a_tablet(office)
        terms = {"income_vnd": 1_000_000, "category": "other", "months": 3}
        tablet.enrolment(tablet.person(tablet.household()), **terms, amount_due_vnd=600_000)
        tablet.sync()
        viewer = office.app.test_client()
        log_in(viewer, "quanly")
        for language, words in (
            ("vi", "ghi 600.000 đ, theo bảng 613.800 đ"),
            ("en", "declared 600,000 đ, by the tables 613,800 đ"),
        ):
            page = viewer.get(
                f"/agents/{office.agents['an']}", query_string={"tab": "entries", "lang": language}
            )
            text = re.sub(r"<[^>]+>", " ", html.unescape(page.get_data(as_text=True))).replace("\u00a0", " ")
            assert words in re.sub(r"\s+", " ", text)
