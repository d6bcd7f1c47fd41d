"""Reads of accounts and sessions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from server.access.models import Account, LoginSession
from server.bulk_rows import chunks

_ACCOUNT, _SESSION = Account.__table__.c, LoginSession.__table__.c


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session and the account it belongs to; times in Unix milliseconds."""

    token_sha256: str
    account_id: str
    worker_id: str
    login: str
    is_disabled: bool
    opened_ms: int
    seen_ms: int


def session_of(connection: Connection, token_sha256: str) -> SessionView | None:
    """Return the session with this token's hash, live or not."""
    row = connection.execute(
        select(
            _SESSION.token_sha256,
            _SESSION.account_id,
            _ACCOUNT.worker_id,
            _ACCOUNT.login,
            _ACCOUNT.is_disabled,
            _SESSION.opened_ms,
            _SESSION.seen_ms,
        ).where(_SESSION.token_sha256 == token_sha256, _ACCOUNT.id == _SESSION.account_id)
    ).one_or_none()
    return None if row is None else SessionView(*row)


def credentials_of(connection: Connection, login: str) -> tuple[str, str] | None:
    """Return the account id and password hash behind a log-in name."""
    row = connection.execute(
        select(_ACCOUNT.id, _ACCOUNT.password_hash).where(_ACCOUNT.login == login)
    ).one_or_none()
    return None if row is None else (row.id, row.password_hash)


def logins_by_account(connection: Connection, account_ids: Iterable[str]) -> dict[str, str]:
    """Return the log-in name of each account that exists."""
    found: dict[str, str] = {}
    for part in chunks(sorted(set(account_ids))):
        rows = connection.execute(select(_ACCOUNT.id, _ACCOUNT.login).where(_ACCOUNT.id.in_(part)))
        found.update({row.id: row.login for row in rows})
    return found


def account_of_login(connection: Connection, login: str) -> tuple[str, str] | None:
    """Return the account's id and its worker, of an account that is not disabled."""
    row = connection.execute(
        select(_ACCOUNT.id, _ACCOUNT.worker_id).where(
            _ACCOUNT.login == login, _ACCOUNT.is_disabled.is_(False)
        )
    ).one_or_none()
    return None if row is None else (row.id, row.worker_id)
