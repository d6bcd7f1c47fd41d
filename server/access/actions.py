"""Writes of accounts and sessions. Passwords are argon2id; session tokens are stored as SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select

from server.access.models import Account, LoginSession
from server.access.queries import SessionView, credentials_of
from server.access.rules import (
    ABSOLUTE_MS,
    LEAST_PASSWORD,
    MOST_PASSWORD,
    SEEN_EVERY_MS,
    Attempts,
    after_failure,
    is_login,
)
from server.audit.changes import Actor, Change, run_change
from server.database import DatabaseBusyError, StorageFullError, Transactions
from sync.ports import IdSource

# RFC 9106's second recommendation is 64 MiB; 32 threads of it would need 2 GiB, so this is OWASP's
# minimum for argon2id: 19 MiB, two passes.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Verified when the log-in name is unknown, so that both answers take the same time.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))


class AccountRuleError(Exception):
    """A rule of the accounts was broken; the message names the rule."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A fresh session; `token` goes into the cookie and is known nowhere else."""

    token: str
    account_id: str


def token_sha256(token: str) -> str:
    """Return what is stored of a session's token, hex."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def account_actor(account_id: str, worker_id: str | None = None) -> Actor:
    """Return the actor of what an account does."""
    return Actor(f"account:{account_id}", worker_id)


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password. Raises AccountRuleError."""
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise AccountRuleError(f"a password has {LEAST_PASSWORD} to {MOST_PASSWORD} characters")
    return _HASHER.hash(password)


def open_account(change: Change, ids: IdSource, worker_id: str, login: str, password_hash: str) -> str:
    """Open a worker's account and return its id. Raises AccountRuleError."""
    if not is_login(login):
        raise AccountRuleError("a log-in name has 2 to 64 of a-z, 0-9, dot, dash and underscore")
    change.flush()
    table = Account.__table__.c
    taken = select(table.id).where((table.login == login) | (table.worker_id == worker_id))
    if change.connection.execute(taken).first() is not None:
        raise AccountRuleError("the log-in name is taken, or the worker has an account")
    account_id = ids.new_id()
    change.insert(
        Account.__table__,
        id=account_id,
        worker_id=worker_id,
        login=login,
        password_hash=password_hash,
        is_disabled=False,
        failed_count=0,
        locked_until_ms=0,
        opened_ms=change.now_ms,
    )
    change.audit("account_opened", account_id, worker=worker_id)
    return account_id


def log_in(transactions: Transactions, now_ms: int, login: str, password: str) -> OpenedSession | None:
    """Open a session, or return None: wrong, locked, disabled and unknown look all the same.

    The slow hash is computed outside the transaction; the lock is judged inside it, so that
    parallel guesses are counted one after the other.
    """
    with transactions.reading() as connection:
        credentials = credentials_of(connection, login)
    matches = _matches(_NOBODY if credentials is None else credentials[1], password)
    if credentials is None:
        return None
    account_id, token = credentials[0], secrets.token_urlsafe(32)

    def work(change: Change) -> bool:
        table = Account.__table__
        account = change.connection.execute(
            select(table).where(table.c.id == account_id).with_for_update()
        ).one()
        if account.is_disabled or account.locked_until_ms > now_ms:
            change.audit("login_refused", account_id)
            return False
        if not matches or account.password_hash != credentials[1]:
            fresh = after_failure(Attempts(account.failed_count, account.locked_until_ms), now_ms)
            change.update(
                table,
                {"id": account_id},
                failed_count=fresh.failed_count,
                locked_until_ms=fresh.locked_until_ms,
            )
            change.audit("login_failed", account_id, locked=fresh.locked_until_ms > now_ms)
            return False
        change.update(table, {"id": account_id}, failed_count=0, locked_until_ms=0)
        _forget_expired(change, account_id)
        change.insert(
            LoginSession.__table__,
            token_sha256=token_sha256(token),
            account_id=account_id,
            opened_ms=now_ms,
            seen_ms=now_ms,
        )
        change.audit("logged_in", account_id)
        return True

    opened = run_change(transactions, account_actor(account_id), now_ms, work)
    return OpenedSession(token, account_id) if opened else None


def _forget_expired(change: Change, account_id: str) -> None:
    table = LoginSession.__table__.c
    expired = (table.account_id == account_id) & (table.opened_ms <= change.now_ms - ABSOLUTE_MS)
    change.connection.execute(delete(LoginSession).where(expired))


def _matches(password_hash: str, password: str) -> bool:
    if len(password) > MOST_PASSWORD:
        return False
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def log_out(transactions: Transactions, now_ms: int, token: str, account_id: str) -> None:
    """End the session of `token`."""

    def work(change: Change) -> None:
        change.delete(LoginSession.__table__, {"token_sha256": token_sha256(token)})
        change.audit("logged_out", account_id)

    run_change(transactions, account_actor(account_id), now_ms, work)


def note_seen(transactions: Transactions, now_ms: int, session: SessionView) -> None:
    """Move the session's time, if it is old enough. Reading goes on where writing cannot."""
    if now_ms - session.seen_ms < SEEN_EVERY_MS:
        return

    def work(change: Change) -> None:
        change.update(LoginSession.__table__, {"token_sha256": session.token_sha256}, seen_ms=now_ms)
        change.audit("session_seen", session.account_id)

    try:
        run_change(transactions, account_actor(session.account_id, session.worker_id), now_ms, work)
    except (DatabaseBusyError, StorageFullError):
        return


def set_password(change: Change, account_id: str, password_hash: str) -> None:
    """Give an account another password; every session of it ends."""
    change.update(
        Account.__table__, {"id": account_id}, password_hash=password_hash, failed_count=0, locked_until_ms=0
    )
    change.delete(LoginSession.__table__, {"account_id": account_id})
    change.audit("password_set", account_id)


def disable_account(change: Change, account_id: str) -> None:
    """Disable an account and end every session of it."""
    change.update(Account.__table__, {"id": account_id}, is_disabled=True)
    change.delete(LoginSession.__table__, {"account_id": account_id})
    change.audit("account_disabled", account_id)
