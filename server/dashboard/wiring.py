"""What every page needs: the language, the formats as template filters, and the frame's own values.

Vietnamese text is the msgid, so Vietnamese needs no catalogue; English is read from its .po file
when the server starts, and nothing has to be compiled or kept in step.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, Response, request
from flask_babel import Babel, Domain, get_locale, gettext
from sqlalchemy import Connection

from schemas.messages import message
from server.access.actions import account_actor
from server.access.permissions import ROUTES, Permission, RouteScope, roles_with
from server.access.rules import holds_any
from server.access.wiring import current_account, viewer
from server.audit.changes import Change, run_change
from server.audit.queries import is_recovering
from server.dashboard import formats
from server.dashboard.queries import Sight, sight_of
from server.dashboard.rules import PAGES_MOST
from server.dashboard.wording import word_of
from server.database import DatabaseBusyError
from server.journals.views import quarantine_counts
from server.office.queries import area_keys_under, visible_areas
from server.people.queries import disputed_count
from server.runtime import current_runtime

_Result = TypeVar("_Result")
# What seqs of the wire can be; a larger one in an address is simply not there.
LARGEST_SEQ = 2**53 - 1
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
_COOKIE = "tungnha_language"
_COOKIE_LIFE_S = 365 * 24 * 60 * 60
_CATALOGUE = Path(__file__).parents[1] / "translations" / "en" / "LC_MESSAGES" / "messages.po"


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    """One language of the switch, with the address of this page in it."""

    code: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the main navigation; `count` is how much waits there for a person."""

    name: str
    url: str
    is_current: bool
    count: int


class _CatalogueDomain(Domain):  # type: ignore[misc]  # flask-babel has no types
    """The texts, from the .po file itself."""

    def get_translations(self) -> NullTranslations:
        return _english() if language() == "en" else NullTranslations()


@cache
def _english() -> Translations:
    with _CATALOGUE.open("rb") as source:
        catalogue = read_po(source, locale="en")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def language() -> str:
    """Return the language of this request: "vi" or "en"."""
    return str(get_locale() or "vi")


def _chosen_language() -> str:
    for choice in (request.args.get("lang"), request.cookies.get(_COOKIE)):
        if choice in LANGUAGES:
            return str(choice)
    return "vi"


def install_pages(app: Flask) -> None:
    """Give `app` its languages, template filters and the values of `base.html`."""
    babel = Babel(app, default_locale="vi", locale_selector=_chosen_language)
    babel.domain_instance = _CatalogueDomain()
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(_filters())
    app.context_processor(_frame)
    app.after_request(_remember_language)


def _filters() -> dict[str, Callable[..., Any]]:
    def zone() -> Any:
        return current_runtime().config.time_zone

    return {
        "number": lambda value: formats.number(value, language()),
        "percent": lambda done, quota: formats.percent(done, quota, language()),
        "given_percent": lambda text: formats.given_percent(text, language()),
        "share": formats.share,
        "day": lambda value: formats.day(value, language()),
        "moment": lambda at_ms: formats.moment(at_ms, zone(), language()),
        "age": lambda at_ms: formats.age(at_ms, current_runtime().clock.now_ms(), language()),
        "offset": lambda value: formats.clock_offset(value, language()),
        "short_id": formats.short_id,
        "wording": lambda value: word_of(str(value), language()),
        "code_text": lambda code: message(str(code), language()),
    }


# Features whose pages remember the language that somebody chose.
_SPEAKING = frozenset(
    {
        "access",
        "dashboard",
        "declarations",
        "fund_statements",
        "imports",
        "participants",
        "treasury",
        "workbench",
    }
)


def _remember_language(response: Response) -> Response:
    choice = request.args.get("lang")
    # A receipt's page sets no cookie at all, and the API has no language.
    is_page = (request.endpoint or "").partition(".")[0] in _SPEAKING
    if is_page and choice in LANGUAGES:
        response.set_cookie(
            _COOKIE,
            str(choice),
            max_age=_COOKIE_LIFE_S,
            secure=current_runtime().config.secure_cookies,
            httponly=True,
            samesite="Lax",
        )
    return response


@dataclass(frozen=True, slots=True)
class Frame:
    """What `base.html` shows around every page."""

    language: str
    languages: list[LanguageChoice]
    nav: list[NavItem]
    permissions: frozenset[str]
    account_name: str | None
    now_ms: int
    is_clock_virtual: bool
    is_recovering: bool


_NAV: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("dashboard.board", "/board", lambda: gettext("Chỉ tiêu")),
    ("workbench.quarantine", "/quarantine", lambda: gettext("Bị giữ lại")),
    ("workbench.conflicts", "/conflicts", lambda: gettext("Sửa trùng")),
    ("workbench.duplicates", "/duplicates", lambda: gettext("Hồ sơ trùng")),
    ("dashboard.incidents", "/incidents", lambda: gettext("Sự cố")),
    ("dashboard.devices", "/devices", lambda: gettext("Thiết bị")),
    ("acceptance.overview", "/acceptance", lambda: gettext("Nghiệm thu")),
    ("treasury.overview", "/treasury", lambda: gettext("Quỹ tặng thẻ")),
    ("participants.overview", "/participants", lambda: gettext("Tham gia")),
    ("declarations.overview", "/declarations", lambda: gettext("Danh sách")),
    ("imports.overview", "/imports", lambda: gettext("Nhập bảng")),
)


def _frame() -> dict[str, Any]:
    clock, account = current_runtime().clock, viewer()
    waiting = {} if account is None else _waiting(account.worker_id, clock.now_ms())
    frame = Frame(
        language=language(),
        languages=[LanguageChoice(code, name, address(lang=code)) for code, name in LANGUAGES.items()],
        nav=[
            NavItem(name(), url, request.path == url, waiting.get(endpoint, 0))
            for endpoint, url, name in _NAV
            if (rule := ROUTES.get(endpoint))
            and rule.permission
            and may(rule.permission, office_wide=rule.scope is RouteScope.OFFICE)
        ],
        permissions=frozenset(permission for permission in Permission if may(permission)),
        account_name=None if account is None else account.login,
        now_ms=clock.now_ms(),
        is_clock_virtual=bool(getattr(clock, "is_virtual", False)),
        is_recovering=account is not None and _is_recovering(),
    )
    return {"page": frame, "address": address}


def _is_recovering() -> bool:
    try:
        with current_runtime().transactions.reading() as connection:
            return is_recovering(connection)
    except DatabaseBusyError:
        # The page that says so is shown all the same.
        return False


def _waiting(worker_id: str, now_ms: int) -> dict[str, int]:
    """Return how much waits for the viewer, by the endpoint of its page."""
    counts = {}
    with current_runtime().transactions.reading() as connection:
        if may(Permission.SEE_QUARANTINE):
            sight = sight_of(connection, worker_id, roles_with(Permission.SEE_QUARANTINE), now_ms)
            found = quarantine_counts(connection, sight.worker_ids)
            counts["workbench.quarantine"] = sum(count for *_, returned, count in found if not returned)
        if may(Permission.SEE_CONFLICTS):
            areas = visible_areas(connection, worker_id, now_ms, roles_with(Permission.SEE_CONFLICTS))
            keys = None if areas.office_wide else area_keys_under(connection, areas.area_keys)
            counts["workbench.conflicts"] = disputed_count(connection, keys)
    return counts


def address(**changes: str | int | None) -> str:
    """Return this page's own address with some arguments of its query changed, or None to drop them."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    fresh = [(name, str(value)) for name, value in changes.items() if value is not None]
    return "?" + urlencode([*kept, *fresh])


def may(permission: Permission, *, office_wide: bool = False) -> bool:
    """Return whether the viewer has this permission over anything, or over the whole office."""
    account = viewer()
    return account is not None and holds_any(account.held, roles_with(permission), office_wide=office_wide)


@dataclass(frozen=True, slots=True)
class Look:
    """One request's snapshot, and what the logged-in worker may see in it."""

    connection: Connection
    sight: Sight
    now_ms: int


@contextmanager
def look() -> Iterator[Look]:
    """Open a snapshot for the current route, scoped by the roles that its permission names."""
    runtime = current_runtime()
    now_ms = runtime.clock.now_ms()
    with runtime.transactions.reading() as connection:
        yield Look(connection, _sight(connection, now_ms), now_ms)


def change_in_sight(work: Callable[[Change, Sight], _Result]) -> _Result:
    """Run a change of the logged-in account, which is given what the account may see."""
    runtime, account = current_runtime(), current_account()
    now_ms = runtime.clock.now_ms()
    actor = account_actor(account.account_id, account.worker_id)
    return run_change(
        runtime.transactions, actor, now_ms, lambda change: work(change, _sight(change.connection, now_ms))
    )


def _sight(connection: Connection, now_ms: int) -> Sight:
    permission = ROUTES[str(request.endpoint)].permission
    assert permission is not None
    return sight_of(connection, current_account().worker_id, roles_with(permission), now_ms)


def whole_argument(name: str, most: int) -> int | None:
    """Return a whole number of the query, or None when it is missing or makes no sense."""
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return int(text) if 1 <= int(text) <= most else None


def page_argument() -> int:
    """Return which page of a list is asked for, from 1."""
    return whole_argument("page", PAGES_MOST) or 1
