from __future__ import annotations

import itertools
import re

import pytest

from server.access.permissions import ROUTES, RouteScope, roles_with
from server.access.rules import RoleHeld, holds_any
from server.access.wiring import UndeclaredRouteError
from server.office.rules import ROLES
from server.runtime import runtime_of
from tests.support.staff import COMMUNE, a_province, an_account, an_app, form_token, log_in

SAFE = {"GET", "HEAD", "OPTIONS"}
GUARDED = sorted(name for name, rule in ROUTES.items() if rule.permission is not None)


@pytest.fixture
def app(sqlite_url, clock):
    with an_app(sqlite_url, clock) as app:
        a_province(runtime_of(app))
        yield app


def routes_of(app, endpoint):
    """Return every (method, path) of an endpoint, its variables filled with something that fits."""
    for rule in app.url_map.iter_rules(endpoint):
        values = dict.fromkeys(rule.arguments, 1)
        for name, converter in rule._converters.items():
            if type(converter).__name__ == "UUIDConverter":
                values[name] = "00000000-0000-7000-8000-000000000000"
        _host, path = rule.build(values)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield method, path


def ask(client, method, path):
    form = {"csrf_token": form_token(client)} if method not in SAFE else None
    return client.open(path, method=method, data=form)


@pytest.mark.parametrize("endpoint", GUARDED)
def test_without_a_session_every_guarded_route_refuses(app, endpoint):
    for method, path in routes_of(app, endpoint):
        answer = ask(app.test_client(), method, path)
        if path.startswith("/api/"):
            assert answer.status_code == 401
        else:
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("/login")


@pytest.mark.parametrize(("role", "area_key"), [*itertools.product(ROLES, [COMMUNE]), (None, None)])
def test_each_role_opens_the_routes_of_its_permissions_and_no_other(app, role, area_key):
    an_account(runtime_of(app), "ba", role, area_key)
    client = app.test_client()
    assert log_in(client).status_code == 303
    # Logging out comes last: log-ins are limited.
    for endpoint in sorted(GUARDED, key=lambda name: name == "access.logout"):
        rule = ROUTES[endpoint]
        allowed = role in roles_with(rule.permission) and rule.scope is not RouteScope.OFFICE
        for method, path in routes_of(app, endpoint):
            answer = ask(client, method, path)
            assert answer.status_code < 500, (endpoint, answer.get_data(as_text=True))
            if not allowed:
                assert answer.status_code == 403, endpoint
            elif answer.status_code == 403:
                # Allowed in, and then refused what lies outside the worker's own areas.
                assert rule.scope is RouteScope.ASSIGNED, endpoint


@pytest.mark.parametrize("endpoint", GUARDED)
def test_what_changes_something_needs_the_forms_token(app, endpoint):
    an_account(runtime_of(app), "ba", "administrator")
    client = app.test_client()
    log_in(client)
    for method, path in routes_of(app, endpoint):
        if method not in SAFE:
            assert client.open(path, method=method).status_code == 403


def test_an_undeclared_route_is_refused_loudly(app):
    # Flask adds no route after its first request; the table loses one instead.
    rule = ROUTES.pop("dashboard.board")
    try:
        with pytest.raises(UndeclaredRouteError):
            app.test_client().get("/board")
        app.testing = False
        assert app.test_client().get("/board").status_code == 403
    finally:
        ROUTES["dashboard.board"] = rule


def test_a_role_over_an_area_is_not_one_over_the_office():
    over_area = [RoleHeld("auditor", COMMUNE, None)]
    assert holds_any(over_area, frozenset({"auditor"}), office_wide=False)
    assert not holds_any(over_area, frozenset({"auditor"}), office_wide=True)
    assert holds_any([RoleHeld("auditor", None, None)], frozenset({"auditor"}), office_wide=True)


def test_a_page_leads_back_to_where_the_reader_wanted_to_go(app):
    answer = app.test_client().get("/board?secret=1")
    assert re.fullmatch(r"/login\?next=(/|%2F)board", answer.headers["Location"])
