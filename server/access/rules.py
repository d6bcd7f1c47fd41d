"""Pure decisions about access: what a role gives, how long a session lasts, when a log-in locks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LOCK_AFTER_FAILURES = 5
LOCK_MS = 15 * 60 * 1000
IDLE_MS = 2 * 60 * 60 * 1000
ABSOLUTE_MS = 12 * 60 * 60 * 1000
# A request moves the session's time at most this often, so that reading pages hardly ever writes.
SEEN_EVERY_MS = 5 * 60 * 1000
LEAST_PASSWORD = 10
MOST_PASSWORD = 200
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """A role that a worker holds now, over an area, an organisation or (both None) the office."""

    role: str
    area_key: str | None
    organisation_key: str | None

    @property
    def is_office_wide(self) -> bool:
        """Return whether the role is over everything."""
        return self.area_key is None and self.organisation_key is None


@dataclass(frozen=True, slots=True)
class CurrentAccount:
    """Who is logged in, and the roles held at this moment."""

    account_id: str
    worker_id: str
    login: str
    held: tuple[RoleHeld, ...]

    @property
    def roles(self) -> frozenset[str]:
        """Return the roles held over anything at all."""
        return frozenset(held.role for held in self.held)

    @property
    def area_keys(self) -> frozenset[str]:
        """Return the areas over which a role is held."""
        return frozenset(held.area_key for held in self.held if held.area_key is not None)

    @property
    def organisation_keys(self) -> frozenset[str]:
        """Return the organisations over which a role is held."""
        return frozenset(held.organisation_key for held in self.held if held.organisation_key is not None)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is known of the failed log-ins of an account."""

    failed_count: int
    locked_until_ms: int


def is_login(text: str) -> bool:
    """Return whether `text` can be a log-in name: ASCII, lower case, 2 to 64 characters."""
    return _LOGIN.fullmatch(text) is not None


def after_failure(attempts: Attempts, now_ms: int) -> Attempts:
    """Return the attempts after one more failure; the fifth one locks and starts a new count."""
    failed_count = attempts.failed_count + 1
    if failed_count < LOCK_AFTER_FAILURES:
        return Attempts(failed_count, attempts.locked_until_ms)
    return Attempts(0, now_ms + LOCK_MS)


def is_live(opened_ms: int, seen_ms: int, now_ms: int) -> bool:
    """Return whether a session opened and last seen then still holds."""
    return now_ms - opened_ms < ABSOLUTE_MS and now_ms - seen_ms < IDLE_MS


def holds_any(held: Iterable[RoleHeld], roles: frozenset[str], *, office_wide: bool) -> bool:
    """Return whether one of `roles` is held, over the whole office where that is asked."""
    return any(one.role in roles and (one.is_office_wide or not office_wide) for one in held)
