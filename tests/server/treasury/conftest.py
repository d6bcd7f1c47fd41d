"""A fund's office behind its pages, with two treasurers and an auditor who may log in."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.runtime import runtime_of
from tests.support.funds import FUND, FundOffice, a_fund_office
from tests.support.staff import an_account, an_app, form_token, log_in


@dataclass
class Treasury:
    """The office, and a browser for each log-in that was used."""

    app: Flask
    office: FundOffice
    accounts: dict[str, str]
    browsers: dict[str, FlaskClient] = field(default_factory=dict)

    def browser(self, login: str = "thuquy") -> FlaskClient:
        """Return the browser of a log-in, logged in once."""
        if login not in self.browsers:
            client = self.app.test_client()
            assert log_in(client, login).status_code == 303
            self.browsers[login] = client
        return self.browsers[login]

    def get(self, path: str, login: str = "thuquy", **query: str) -> Any:
        """Open a page of the fund."""
        return self.browser(login).get(f"/treasury/{FUND}{path}", query_string=query)

    def post(self, path: str, login: str = "thuquy", **fields: Any) -> Any:
        """Send a form of the fund."""
        client = self.browser(login)
        token = form_token(client, f"/treasury/{FUND}/payouts")
        return client.post(f"/treasury/{FUND}{path}", data=fields | {"csrf_token": token})


def words_of(response: Any) -> str:
    """Return the words of a page, blanks joined."""
    text = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return re.sub(r"\s+", " ", html.unescape(text).replace("\u00a0", " "))


@pytest.fixture
def treasury(sqlite_url: str, clock: Any) -> Iterator[Treasury]:
    """The treasury on SQLite."""
    with an_app(sqlite_url, clock) as app:
        runtime = runtime_of(app)
        office = a_fund_office(runtime)
        accounts = {
            login: an_account(runtime, login, role)[1]
            for login, role in (("thuquy", "treasurer"), ("thuquy2", "treasurer"), ("kiemtoan", "auditor"))
        }
        yield Treasury(app, office, accounts)


@pytest.fixture
def words() -> Callable[[Any], str]:
    """What a page says."""
    return words_of
