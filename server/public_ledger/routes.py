"""The public pages of funds, and the same as JSON and CSV.

Nobody logs in and no cookie is set. The language is part of the address, so that one copy in a cache is
right for everybody; an ETag is the digest of what is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from operator import is_
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import force_locale
from flask_smorest import Blueprint as ApiBlueprint

from schemas.signatures import LEDGER_ROOT_CONTEXT, to_base64url
from schemas.vietqr import fund_purpose
from server.errors import ProblemError, refuses
from server.public_ledger.figures import CardStage, Day, Movement, days_of, goal_bar
from server.public_ledger.files import TABLES, as_members, root_members, transfer_svg, transfer_text
from server.public_ledger.queries import PublicFund, PublicLedger
from server.public_ledger.roots import known_roots
from server.public_ledger.schemas import FundShown, FundsShown, LedgerRootsShown
from server.runtime import current_runtime
from server.spreadsheets import written_csv
from sync.codes import RequestCode

pages = Blueprint("public_ledger", __name__)
api = ApiBlueprint(
    "public_ledger_api", __name__, url_prefix="/api/v1/public", description="Funds, for anyone"
)

_EXTENSION, _DRAWN = "tungnha_public_ledger", "tungnha_public_pages"
_OLDER_DAYS = "tungnha_public_days"
# As old as a copy may be that nobody asked us about again.
_MAX_AGE_S = 60
_DAYS_SHOWN = 14
# A month and what came before it: the file has every day.
_DAYS_MOST = 45
_NUMBER = {"in": "path", "name": "number", "required": True, "schema": {"type": "integer", "minimum": 1}}


def _ledger() -> PublicLedger:
    found: PublicLedger = current_app.extensions.setdefault(
        _EXTENSION, PublicLedger(current_runtime().config.time_zone)
    )
    return found


def _funds() -> list[PublicFund]:
    runtime = current_runtime()
    with runtime.transactions.reading() as connection:
        return _ledger().funds(connection, runtime.clock.now_ms())


def _fund(number: int) -> PublicFund:
    for shown in _funds():
        if shown.fund.number == number:
            return shown
    raise ProblemError(RequestCode.NOT_FOUND)


def _cacheable(response: Response) -> Response:
    """Let anybody keep an answer for a while, and ask again by what it is."""
    if response.status_code == 200:
        response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE_S}"
        response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
        response.make_conditional(request)
    return response


pages.after_request(_cacheable)
api.after_request(_cacheable)


@pages.get("/quy", defaults={"language": "vi"})
@pages.get("/en/quy", defaults={"language": "en"})
def index(language: str) -> str:
    """List the funds."""
    funds = _funds()

    def draw() -> str:
        found = [(shown, goal_bar(shown.figures.cards, shown.fund.target_cards)) for shown in funds]
        return _page("public_ledger/index.html", language, found=found)

    return _drawn(("index", language), tuple(funds), draw)


@pages.get("/quy/<int:number>", defaults={"language": "vi"})
@pages.get("/en/quy/<int:number>", defaults={"language": "en"})
def fund_page(number: int, language: str) -> str:
    """Show a fund."""
    shown = _fund(number)

    def draw() -> str:
        days, text = days_of(shown.figures.movements), transfer_text(shown)
        return _page(
            "public_ledger/fund.html",
            language,
            shown=shown,
            bar=goal_bar(shown.figures.cards, shown.fund.target_cards),
            days=days[:_DAYS_SHOWN],
            older_count=len(days[_DAYS_SHOWN:_DAYS_MOST]),
            older_days=_older_days(number, language, days[_DAYS_SHOWN:_DAYS_MOST]),
            transfer_code=None if text is None else transfer_svg(text),
            transfer_purpose=fund_purpose(number),
        )

    return _drawn((str(number), language), (shown,), draw)


@pages.get("/quy/<int:number>/<any(totals, cards, communes, pools, movements, buys, publications):table>.csv")
def fund_table(number: int, table: str) -> Response:
    """Give one table of a fund as a file."""
    shown = _fund(number)
    header, rows = TABLES[table]
    response = Response(written_csv(header, rows(shown)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="quy-{number}-{table}.csv"'
    return response


@api.route("/funds", methods=["GET"])
@api.response(200, FundsShown)
@refuses(api, 503)
@api.doc(security=[])
def funds_shown() -> dict[str, Any]:
    """List the funds, the newest first."""
    return {
        "funds": [
            {
                "number": shown.fund.number,
                "name": {"vi": shown.fund.name, "en": shown.fund.name_en},
                "is_open": shown.is_open,
            }
            for shown in _funds()
        ]
    }


@api.route("/funds/<int:number>", methods=["GET"], parameters=[_NUMBER])
@api.response(200, FundShown)
@refuses(api, 404, 503)
@api.doc(security=[])
def fund_shown(number: int) -> dict[str, Any]:
    """Show everything that is public of a fund."""
    return as_members(_fund(number))


@api.route("/ledger-roots", methods=["GET"])
@api.response(200, LedgerRootsShown)
@refuses(api, 503)
@api.doc(security=[])
def roots_shown() -> dict[str, Any]:
    """Show every daily root of the funds' ledger, as it was signed."""
    runtime = current_runtime()
    with runtime.transactions.reading() as connection:
        roots = known_roots(connection)
    key = runtime.config.office_key.public
    return {
        "context": LEDGER_ROOT_CONTEXT.decode(),
        "kid": key.kid,
        "public_key": to_base64url(key.spki),
        "roots": [root_members(root) for root in roots],
    }


def _drawn(name: tuple[str, str], of: tuple[PublicFund, ...], draw: Callable[[], str]) -> str:
    """Return a page, drawn anew unless it was drawn of these very values."""
    kept: dict[tuple[str, str], tuple[tuple[PublicFund, ...], str]]
    kept = current_app.extensions.setdefault(_DRAWN, {})
    known = kept.get(name)
    if known is not None and len(known[0]) == len(of) and all(map(is_, known[0], of)):
        return known[1]
    text = draw()
    kept[name] = (of, text)
    return text


def _older_days(number: int, language: str, days: list[Day]) -> str:
    """Return the table of days gone by, which a gift of today leaves as it is: most of a page's work."""
    kept: dict[tuple[int, str], tuple[list[Day], str]]
    kept = current_app.extensions.setdefault(_OLDER_DAYS, {})
    known = kept.get((number, language))
    if known is not None and known[0] == days:
        return known[1]
    text = _page("public_ledger/older_days.html", language, days=days)
    kept[number, language] = (days, text)
    return text


def _page(template: str, language: str, **values: Any) -> str:
    with force_locale(language):
        return render_template(
            template,
            language=language,
            stages=list(CardStage),
            kinds=list(Movement),
            is_clock_virtual=bool(getattr(current_runtime().clock, "is_virtual", False)),
            **values,
        )
