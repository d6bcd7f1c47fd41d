"""The public addresses: who may ask, what caches may keep, and that no person is on any byte of them."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterator
from datetime import date

import pytest

from server.access.permissions import ROUTES, RouteScope
from server.audit.actions import enter_recovery
from server.public_ledger.figures import CardStage, goal_bar
from server.public_ledger.files import TABLES
from server.public_ledger.roots import seal_days
from tests.server.public_ledger.funded import CANARIES, FUND, FundedOffice, fill, funded_office
from tests.support.small_office import small_office

PAGES = ("/quy", "/en/quy", f"/quy/{FUND}", f"/en/quy/{FUND}")
JSON = ("/api/v1/public/funds", f"/api/v1/public/funds/{FUND}", "/api/v1/public/ledger-roots")
FILES = tuple(f"/quy/{FUND}/{table}.csv" for table in TABLES)
EVERYTHING = (*PAGES, *JSON, *FILES)


@pytest.fixture(scope="module")
def funded(tmp_path_factory) -> Iterator[FundedOffice]:
    path = tmp_path_factory.mktemp("public") / "office.sqlite3"
    with funded_office(f"sqlite:///{path}") as office:
        fill(office)
        office.office.clock.advance(days=1)
        seal_days(office.office.runtime)
        yield office


@pytest.fixture
def visitor(funded):
    return funded.office.app.test_client()


def spellings(secret: str) -> Iterator[bytes]:
    """A secret as it could be hidden in bytes: whole, or its longest word, in several alphabets."""
    for word in {secret, max(secret.split(), key=len)}:
        for encoding in ("utf-8", "utf-16-le", "latin-1"):
            try:
                raw = word.encode(encoding)
            except UnicodeEncodeError:
                continue
            yield raw
            for shift in range(3):
                # Base64 of a text within another: what its own bytes decide, at each of three places.
                coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
                yield coded[(shift * 8 + 5) // 6 + 1 : -1].encode()


@pytest.mark.parametrize("address", EVERYTHING)
def test_no_person_is_on_any_public_byte(funded, visitor, address):
    answer = visitor.get(address)
    assert answer.status_code == 200
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    sent = answer.data + headers.encode("utf-8")
    for name, secret in CANARIES.items():
        for spelled in spellings(secret):
            assert len(spelled) >= 5
            assert spelled not in sent, name
    for worker in funded.workers:
        assert worker.encode() not in sent
    # No id of an entry, an allocation or a row of the office.
    assert re.search(rb"0191e2b4-0000-7000", sent) is None


def test_the_canaries_would_be_found(visitor):
    """The hunt itself works: what is public is found in each spelling."""
    page = visitor.get(f"/quy/{FUND}").data
    assert next(spellings("Phường")) in page
    hidden = base64.b64encode(b"xy" + CANARIES["donor"].encode() + b"zz")
    assert any(spelled in hidden for spelled in spellings(CANARIES["donor"]))


@pytest.mark.parametrize("address", EVERYTHING)
def test_anybody_may_keep_a_copy_and_ask_whether_it_is_still_right(visitor, address):
    answer = visitor.get(address + "?lang=en")
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert "script" not in answer.headers["Content-Security-Policy"]
    again = visitor.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "Set-Cookie" not in again.headers
    visitor.set_cookie("tungnha_language", "en")
    assert visitor.get(address).data == answer.data


def test_the_address_alone_chooses_the_language(visitor):
    assert 'lang="vi"' in visitor.get(f"/quy/{FUND}?lang=en").text[:200]
    assert "Health cards" in visitor.get(f"/en/quy/{FUND}?lang=vi").text


def test_the_address_is_open_to_everybody_and_declared_so():
    names = [name for name in ROUTES if name.startswith("public_ledger")]
    assert len(names) == 6
    assert {ROUTES[name].scope for name in names} == {RouteScope.PUBLIC}


def test_a_fund_that_is_not_there_is_not_found_and_not_kept(visitor):
    for address in ("/quy/999", "/en/quy/999", "/quy/999/totals.csv", "/api/v1/public/funds/999", "/quy/0"):
        answer = visitor.get(address)
        assert answer.status_code == 404
        assert answer.headers["Cache-Control"] == "no-store"
    assert visitor.get(f"/quy/{FUND}/donors.csv").status_code == 404


def test_a_page_says_the_same_as_the_files(visitor):
    told = visitor.get(f"/api/v1/public/funds/{FUND}").get_json()
    totals = dict(rows(visitor, "totals"))
    assert {name: int(amount) for name, amount in totals.items()} == told["totals_vnd"]
    page = visitor.get(f"/quy/{FUND}").text.replace("&nbsp;", " ")
    for name in ("received", "spent", "spendable", "in_agents_hands", "free"):
        assert f"{told['totals_vnd'][name]:,}".replace(",", ".") in page
    communes = {row[0]: row[3:] for row in rows(visitor, "communes")}
    for row in told["communes"]:
        cells = [row["cards"][column] for column in ("committed", "issued", "handed", "returned", "total")]
        shown = ["" if value is None else str(value) for value in cells]
        assert communes[row["key"]] == shown


def rows(visitor, table: str) -> list[list[str]]:
    content = visitor.get(f"/quy/{FUND}/{table}.csv").data
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1:]


def test_the_transfer_code_is_on_the_page_while_the_fund_is_open(visitor):
    page = visitor.get(f"/quy/{FUND}").text
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page
    assert "TN7" in page


def test_a_bar_never_ends_behind_its_end():
    cards = {CardStage.HANDED: 90, CardStage.ISSUED: 30, CardStage.COMMITTED: 400, CardStage.RETURNED: 7}
    bar = goal_bar(cards, 100)
    assert [(part.start, part.width) for part in bar] == [(0, 900), (900, 100), (1000, 0)]
    assert goal_bar(cards, 0)[-1].start == 1000


def test_deadlines_and_the_days_of_the_fund_are_told(visitor):
    told = visitor.get(f"/api/v1/public/funds/{FUND}").get_json()
    assert (told["opens_on"], told["closes_on"], told["is_open"]) == ("2020-05-01", "2020-05-31", True)
    kinds = {one["kind"]: one for one in told["publications"]}
    assert kinds["call"]["state"] == "done"
    assert kinds["received"] == {
        "kind": "received",
        "due_on": date(2020, 6, 15).isoformat(),
        "state": "due",
        "published_on": None,
    }
    assert [one["months"] for one in told["buys"]] == [3, 6, 12]
    assert told["buys"][0]["price_vnd"] == 201_150


def test_while_the_office_recovers_the_page_says_that_figures_are_provisional(tmp_path):
    with funded_office(f"sqlite:///{tmp_path / 'office.sqlite3'}") as funded:
        visitor = funded.office.app.test_client()
        assert "tạm tính" not in visitor.get(f"/quy/{FUND}").text
        funded.change(enter_recovery)
        assert "Đang khôi phục" in visitor.get(f"/quy/{FUND}").text
        assert visitor.get(f"/api/v1/public/funds/{FUND}").get_json()["sync"]["is_recovering"] is True


def test_an_office_without_funds_says_so(tmp_path):
    with small_office(f"sqlite:///{tmp_path / 'office.sqlite3'}") as office:
        assert "Chưa có quỹ nào" in office.app.test_client().get("/quy").text
