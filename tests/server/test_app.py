from __future__ import annotations

import json

import pytest
from openapi_spec_validator import validate

from schemas.exchange import Problem
from server.database import DatabaseBusyError, StorageFullError
from server.errors import STATUS_OF, ProblemError
from server.runtime import runtime_of
from sync.codes import RequestCode
from sync.limits import LIMITS
from tests.support.staff import an_account, an_app, log_in


@pytest.fixture
def app(sqlite_url, clock):
    with an_app(sqlite_url, clock) as app:
        yield app


@pytest.fixture
def client(app):
    return app.test_client()


def failing_with(app, monkeypatch, error):
    """Let the page of the log-in fail with `error`, as a route under it might."""

    def fail():
        raise error

    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setitem(app.view_functions, "access.login_page", fail)
    return app.test_client()


def test_every_code_of_a_request_has_a_status():
    assert set(STATUS_OF) == set(RequestCode)
    assert all(400 <= status < 600 for status in STATUS_OF.values())


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/sync", 405, "method_not_allowed"),
        ("GET", "/api/", 404, "not_found"),
    ],
)
def test_an_error_of_the_api_is_problem_details(client, method, path, status, code):
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = json.loads(answer.data)
    assert (problem["status"], problem["code"]) == (status, code)
    assert Problem().validate(problem) == {}
    if status == 405:
        assert "POST" in answer.headers["Allow"]


def test_an_error_elsewhere_is_a_page(client):
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert "Không tìm thấy trang" in answer.get_data(as_text=True)
    assert "Không tìm" not in client.get("/nothing?lang=en").get_data(as_text=True)


def test_a_body_over_the_limit_is_refused_with_the_limits(client):
    answer = client.post("/login", data=b"x" * (LIMITS.body_bytes + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/login", "/nothing", "/healthz", "/api/v1/openapi.json", "/static/mark.svg"]
)
def test_every_answer_is_protected(client, path):
    with client.get(path) as answer:
        headers = answer.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ("no-store" in headers["Cache-Control"]) == (not path.startswith("/static/"))


def test_only_over_tls_a_browser_is_told_to_insist_on_it(client):
    assert "Strict-Transport-Security" not in client.get("/login").headers
    assert "Strict-Transport-Security" in client.get("/login", base_url="https://localhost").headers


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DatabaseBusyError(), 503),
        (StorageFullError(), 507),
        (ProblemError(RequestCode.FORBIDDEN), 403),
        (RuntimeError("0123456789"), 500),
    ],
)
def test_a_failing_route_answers_calmly(capfd, app, monkeypatch, error, status):
    """[R5.3] Only faults of infrastructure are answered with «try again» (503, 507)."""
    answer = failing_with(app, monkeypatch, error).get("/login")
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (status in {503, 507})
    told = capfd.readouterr()
    assert "0123456789" not in told.out + told.err + answer.get_data(as_text=True)


def test_logs_are_json_and_name_the_route_never_the_path(capfd, client):
    """[T13] Tokens stay out of logs."""
    digits = "31415926535897932384"
    client.get(f"/r/{digits}?token=geheim", headers={"User-Agent": "Geheim/1"})
    client.get(f"/nothing/{digits}")
    told = capfd.readouterr()
    lines = [json.loads(line) for line in told.err.splitlines()]
    assert [line["route"] for line in lines if line["event"] == "request"] == ["/r/<digits>", "-"]
    assert digits not in told.out + told.err
    assert "eheim" not in told.out + told.err


def test_the_server_says_how_it_is(client):
    assert client.get("/healthz").get_json() == {"status": "alive"}
    assert client.get("/readyz").get_json() == {"database": "reachable", "migrations": "at_head"}
    assert client.get("/readyz").status_code == 200


def test_metrics_are_for_this_machine_alone(client):
    client.get("/healthz")
    assert 'tungnha_requests_total{route="/healthz",status="200"} 1.0' in client.get("/metrics").text
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 403
    elsewhere = {"REMOTE_ADDR": "10.0.0.1"}
    assert client.get("/metrics", environ_overrides=elsewhere).status_code == 403


def test_the_openapi_document_is_valid(client):
    document = client.get("/api/v1/openapi.json").get_json()
    validate(document)
    assert document["openapi"] == "3.1.0"
    default = document["components"]["responses"]["DEFAULT_ERROR"]
    assert list(default["content"]) == ["application/problem+json"]


def test_a_relative_database_lies_where_the_server_was_started(clock, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with an_app("sqlite:///office.sqlite3", clock) as app:
        path = runtime_of(app).transactions.engine.url.database
    assert path == str(tmp_path / "office.sqlite3")


def test_the_log_in_page_holds_no_script_and_no_inline_style(app, client):
    an_account(runtime_of(app), "ba", "auditor")
    page = log_in(client, password="sai-mat-khau").get_data(as_text=True)
    assert "<script" not in page
    assert "style=" not in page
