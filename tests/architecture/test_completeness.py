"""Nothing is half there: codes have texts and pages, kinds have handlers and vectors, routes have rules."""

from __future__ import annotations

import json
import re

import pytest

from schemas.catalogue import KINDS
from schemas.messages import MESSAGES
from server.access.permissions import ROUTES, Permission, RouteScope, Rule, roles_with
from server.app import create_app
from server.config import read_config
from server.dashboard.wording import WORDS
from server.exchange.registry import HANDLERS
from server.imports.codes import ImportCode
from server.people.rules import PairCode
from sync.codes import EntryCode, Flag, RateCode, RequestCode
from tests.architecture.sources import ROOT, python_sources
from tests.support.offices import office_environment

CODES = sorted({str(code) for codes in (RequestCode, EntryCode, Flag, RateCode) for code in codes})
# A route that nobody has to log in for is a decision; a new one has to be written down here.
PUBLIC = {
    "static",
    "api-docs.openapi_json",
    "health.alive",
    "health.ready",
    "health.metrics",
    "access.login_page",
    "access.login",
    "receipts.receipt_page",
    "receipts.receipt_svg",
    "receipts.receipt_png",
    "receipts_api.receipt_json",
    "public_ledger.index",
    "public_ledger.fund_page",
    "public_ledger.fund_table",
    "public_ledger_api.funds_shown",
    "public_ledger_api.fund_shown",
    "public_ledger_api.roots_shown",
}


@pytest.fixture(scope="module")
def endpoints() -> set[str]:
    """Every endpoint of the assembled server."""
    app = create_app(read_config(office_environment("sqlite://")))
    return {rule.endpoint for rule in app.url_map.iter_rules()}


def test_a_code_belongs_to_one_list():
    assert len(CODES) == sum(len(codes) for codes in (RequestCode, EntryCode, Flag, RateCode))
    office = [*map(str, ImportCode), *map(str, PairCode)]
    assert len(set(office)) == len(office)
    assert not set(CODES) & set(office)


def test_every_code_has_a_text_in_both_languages():
    assert sorted(map(str, MESSAGES)) == CODES
    for vietnamese, english in MESSAGES.values():
        assert vietnamese.strip()
        assert english.strip()


def test_every_reason_against_a_decision_about_a_pair_has_words():
    assert {f"refused_{code}" for code in PairCode} <= WORDS.keys()


def test_every_code_is_documented_and_no_other():
    page = (ROOT / "docs" / "error-codes.md").read_text(encoding="utf-8")
    documented = re.findall(r"^(?:\| *|#+ *|- *)`([a-z][a-z0-9_]*)`", page, re.MULTILINE)
    assert sorted(set(documented)) == sorted([*CODES, *map(str, ImportCode), *map(str, PairCode)])
    assert len(documented) == len(set(documented))


def test_every_code_is_used_by_some_source():
    """A code that nothing answers is a promise that nobody keeps."""
    used = {
        name
        for source in python_sources("server", "sync", "schemas", "field_client")
        if source.name not in {"sync/codes.py", "schemas/messages.py", "server/errors.py"}
        for name in re.findall(r"\b(?:RequestCode|EntryCode|Flag|RateCode)\.([A-Z_]+)\b", source.text)
    }
    rendered = (ROOT / "server" / "errors.py").read_text(encoding="utf-8")
    raised_by_errors = set(re.findall(r"\bRequestCode\.([A-Z_]+)\b", rendered))
    known = {code.name for codes in (RequestCode, EntryCode, Flag, RateCode) for code in codes}
    assert known - used - raised_by_errors == set()


def test_every_kind_has_a_handler():
    assert set(HANDLERS) == set(KINDS)


def test_a_kinds_name_is_a_past_tense_fact():
    assert [name for name in KINDS if not re.fullmatch(r"[a-z]+(?:_[a-z]+)*_[a-z]+ed(?:_over)?", name)] == []


def test_every_kind_has_a_golden_vector():
    found = {kind for path in (ROOT / "schemas" / "vectors").rglob("*.json") for kind in _kinds_in(path)}
    assert set(KINDS) - found == set()


def test_every_route_declares_its_permission_and_no_rule_is_left_over(endpoints):
    assert set(ROUTES) - endpoints == set()
    assert endpoints - set(ROUTES) == set()


def test_only_the_listed_routes_are_public():
    assert {name for name, rule in ROUTES.items() if rule.scope is RouteScope.PUBLIC} <= PUBLIC


@pytest.mark.parametrize(("endpoint", "rule"), ROUTES.items())
def test_a_rule_is_whole(endpoint: str, rule: Rule):
    anonymous = rule.scope in {RouteScope.PUBLIC, RouteScope.DEVICE}
    assert (rule.permission is None) == anonymous, endpoint


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_held_by_a_role_and_guards_a_route(permission):
    assert roles_with(permission)
    assert permission in {rule.permission for rule in ROUTES.values()}


def _kinds_in(path) -> set[str]:
    """Return the kinds that a vector names, also inside entries, which are JSON in strings."""
    found: set[str] = set()

    def look(node) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("kind"), str):
                found.add(node["kind"])
            for child in node.values():
                look(child)
        elif isinstance(node, list):
            for child in node:
                look(child)
        elif isinstance(node, str) and node.startswith("{"):
            try:
                look(json.loads(node))
            except ValueError:
                return

    look(json.loads(path.read_text(encoding="utf-8")))
    return found
