from __future__ import annotations

import threading

import pytest

from server.access.actions import AccountRuleError, disable_account, hash_password, set_password
from server.access.actions import log_in as open_session
from server.access.rules import ABSOLUTE_MS, IDLE_MS, LOCK_AFTER_FAILURES, LOCK_MS
from server.runtime import runtime_of
from tests.support.staff import PASSWORD, an_account, an_app, changed, form_token, log_in


@pytest.fixture
def app(sqlite_url, clock):
    with an_app(sqlite_url, clock) as app:
        yield app


@pytest.fixture
def runtime(app):
    return runtime_of(app)


@pytest.fixture
def client(app):
    return app.test_client()


def is_logged_in(client):
    """Log-out is the one route of every account; without a session it sends to the form."""
    answer = client.post("/logout", data={"csrf_token": form_token(client)})
    return answer.headers["Location"] == "/login" and answer.headers.get("Set-Cookie") is not None


def test_a_right_password_opens_a_session_whose_cookie_scripts_cannot_read(client, runtime):
    an_account(runtime, "ba", "auditor")
    answer = log_in(client, following="/board")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/board")
    cookie = next(
        text for text in answer.headers.getlist("Set-Cookie") if text.startswith("tungnha_session=")
    )
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert is_logged_in(client)
    assert not is_logged_in(client)


def test_on_https_the_cookie_is_secure_and_bound_to_the_host(sqlite_url, clock):
    with an_app(sqlite_url, clock, TUNGNHA_PUBLIC_URL="https://bh.example") as app:
        an_account(runtime_of(app), "ba", "auditor")
        client = app.test_client()
        token = form_token(client, base_url="https://bh.example")
        fields = {"login": "ba", "password": PASSWORD, "csrf_token": token}
        answer = client.post("/login", data=fields, base_url="https://bh.example")
        cookies = answer.headers.getlist("Set-Cookie")
        assert any(text.startswith("__Host-tungnha_session=") and "Secure" in text for text in cookies)


@pytest.mark.parametrize("following", ["//evil.example", "https://evil.example", "/\\evil.example", "x", ""])
def test_after_log_in_nobody_is_sent_to_another_site(client, runtime, following):
    an_account(runtime, "ba", "auditor")
    assert log_in(client, following=following).headers["Location"] == "/"


@pytest.mark.parametrize(
    ("login", "password"),
    [("ba", "sai-mat-khau"), ("nobody", PASSWORD), ("", ""), ("ba\x00", PASSWORD), ("ba", "x" * 1000)],
)
def test_a_wrong_log_in_says_nothing_about_what_was_wrong(client, runtime, login, password):
    an_account(runtime, "ba", "auditor")
    answer = log_in(client, login, password)
    assert answer.status_code == 401
    assert "hoặc tài khoản đang tạm khoá" in answer.get_data(as_text=True)
    assert not any("tungnha_session" in text for text in answer.headers.getlist("Set-Cookie"))


def test_a_flood_of_log_ins_from_one_address_is_slowed(sqlite_url, clock):
    with an_app(sqlite_url, clock, TUNGNHA_PUBLIC_URL="https://bh.example") as app:
        client = app.test_client()
        token = form_token(client, base_url="https://bh.example")

        def status_from(address):
            headers = {"X-Forwarded-For": address}
            form = {"login": "", "password": "", "csrf_token": token}
            answer = client.post("/login", data=form, headers=headers, base_url="https://bh.example")
            return answer.status_code

        assert [status_from("10.0.0.1") for _ in range(31)] == [401] * 30 + [429]
        assert status_from("10.0.0.2") == 401


def test_a_log_in_without_the_forms_token_is_refused(client, runtime):
    an_account(runtime, "ba", "auditor")
    answer = client.post("/login", data={"login": "ba", "password": PASSWORD})
    assert answer.status_code == 403


def test_a_token_of_another_browser_is_refused(app, runtime):
    an_account(runtime, "ba", "auditor")
    fields = {"login": "ba", "password": PASSWORD, "csrf_token": form_token(app.test_client())}
    client = app.test_client()
    client.get("/login")
    assert client.post("/login", data=fields).status_code == 403


def test_five_failures_lock_the_account_for_a_while(any_runtime):
    an_account(any_runtime)
    transactions, clock = any_runtime.transactions, any_runtime.clock
    for _ in range(LOCK_AFTER_FAILURES):
        assert open_session(transactions, clock.now_ms(), "ba", "sai-mat-khau") is None
    assert open_session(transactions, clock.now_ms(), "ba", PASSWORD) is None
    assert open_session(transactions, clock.advance(ms=LOCK_MS - 1), "ba", PASSWORD) is None
    assert open_session(transactions, clock.advance(ms=1), "ba", PASSWORD) is not None


def test_parallel_guesses_are_counted_one_by_one(any_runtime):
    an_account(any_runtime)
    now_ms = any_runtime.clock.now_ms()

    def guess():
        open_session(any_runtime.transactions, now_ms, "ba", "sai-mat-khau")

    threads = [threading.Thread(target=guess) for _ in range(LOCK_AFTER_FAILURES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert open_session(any_runtime.transactions, now_ms, "ba", PASSWORD) is None


def test_a_success_forgets_the_failures_before_it(sqlite_runtime):
    an_account(sqlite_runtime)
    transactions, now_ms = sqlite_runtime.transactions, sqlite_runtime.clock.now_ms()
    for _ in range(3):
        for _ in range(LOCK_AFTER_FAILURES - 1):
            assert open_session(transactions, now_ms, "ba", "sai-mat-khau") is None
        assert open_session(transactions, now_ms, "ba", PASSWORD) is not None


def test_an_idle_session_ends(client, runtime, clock):
    an_account(runtime, "ba", "auditor")
    log_in(client)
    clock.advance(ms=IDLE_MS - 1)
    assert client.get("/login").status_code == 200  # seen: the idle time starts again
    clock.advance(ms=IDLE_MS - 1)
    client.get("/login")
    clock.advance(ms=IDLE_MS)
    assert not is_logged_in(client)


def test_a_busy_session_ends_too(client, runtime, clock):
    an_account(runtime, "ba", "auditor")
    log_in(client)
    for _ in range(ABSOLUTE_MS // IDLE_MS * 2):
        clock.advance(ms=IDLE_MS // 2)
        client.get("/login")
    assert not is_logged_in(client)


def test_a_disabled_account_is_out_at_once(client, runtime):
    _worker_id, account_id = an_account(runtime, "ba", "auditor")
    log_in(client)
    changed(runtime, lambda change: disable_account(change, account_id))
    assert not is_logged_in(client)
    assert log_in(client).status_code == 401


def test_another_password_ends_every_session(client, runtime):
    _worker_id, account_id = an_account(runtime, "ba", "auditor")
    log_in(client)
    changed(runtime, lambda change: set_password(change, account_id, hash_password("mat-khau-moi")))
    assert not is_logged_in(client)
    assert log_in(client, password="mat-khau-moi").status_code == 303


def test_the_database_holds_neither_token_nor_password(client, runtime, sqlite_url):
    an_account(runtime, "ba", "auditor")
    log_in(client)
    cookie = client.get_cookie("tungnha_session")
    runtime.transactions.engine.dispose()
    path = sqlite_url.removeprefix("sqlite:///")
    with open(path, "rb") as file:
        content = file.read()
    assert b"$argon2id$" in content
    assert PASSWORD.encode() not in content
    assert cookie.value.encode() not in content


def test_a_login_is_taken_once_and_a_short_password_is_refused(sqlite_runtime):
    an_account(sqlite_runtime, "ba")
    with pytest.raises(AccountRuleError):
        an_account(sqlite_runtime, "ba")
    with pytest.raises(AccountRuleError):
        an_account(sqlite_runtime, "Bà Ba")
    with pytest.raises(AccountRuleError):
        hash_password("ngan")
