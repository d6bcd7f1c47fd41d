"""Callers for a fuzzer of the API: tablets that sign whatever it made up, and somebody logged in.

A share of the requests stays as generated, so that what is unsigned and made up is tried as well.
Which share a request falls into is decided by its own bytes: the same request is always treated alike.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from schemas.exchange import PROTOCOL
from schemas.signatures import PrivateKey, request_message, to_base64url
from schemas.vectors.make_vectors import FOLDER
from server.funds.setting_up import create_fund
from server.quotas.acceptance import accept_period
from server.quotas.rules import OFFICE_CAMPAIGN
from sync.journal import chain, entry_sha256
from sync.limits import LIMITS
from tests.support.funds import FUND, a_fund
from tests.support.raw_tablet import ENROLMENTS, SYNC, RawTablet
from tests.support.small_office import COMMUNES
from tests.support.staff import form_token, log_in
from tests.support.watched_office import WatchedOffice

CODES = "/api/v1/enrolment-codes"
_BODIES = json.loads((FOLDER / "bodies.json").read_text(encoding="ascii"))["cases"]
Environ = dict[str, Any]


def share(content: Any, parts: int) -> int:
    """Return which of `parts` equal shares some content falls into."""
    text = content if isinstance(content, bytes) else repr(content).encode("utf-8", "backslashreplace")
    return zlib.crc32(text) % parts


class Callers:
    """A WSGI app before the server's: it signs and logs in most of the requests that pass."""

    def __init__(self, watched: WatchedOffice, login: str = "quanly") -> None:
        self._watched = watched
        self._office = watched.office
        self._keys: dict[str, PrivateKey] = {}
        self._tablet: RawTablet | None = None
        self._statement: int | None = None
        self._dispute: tuple[str, str] | None = None
        self._fund: int | None = None
        self._inner = self._office.app.wsgi_app
        self.answers: dict[str, set[int]] = {}
        client = self._office.app.test_client()
        assert log_in(client, login).status_code == 303
        self._form_token = form_token(client, "/devices")
        cookies = (client.get_cookie(name) for name in ("tungnha_session", "tungnha_form"))
        self._cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies)

    # --- what is sent ---

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on, with what its caller would have added."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["HTTP_ACCEPT_ENCODING"] = "identity"
        if path in {SYNC, ENROLMENTS}:
            if share(body, 8):
                self._sign(environ, method, path, body)
        elif share(path.encode() + environ.get("QUERY_STRING", "").encode() + body, 8):
            environ["HTTP_COOKIE"] = self._cookies
            environ["HTTP_X_CSRFTOKEN"] = self._form_token
        return self._inner(environ, start_response)

    def _sign(self, environ: Environ, method: str, path: str, body: bytes) -> None:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = None
        named = content.get("public_key") if isinstance(content, dict) else None
        key = self._keys.get(named) if isinstance(named, str) else None
        message = request_message(method, path, body)
        environ["HTTP_TUNGNHA_SIGNATURE"] = to_base64url((key or self.tablet.key).sign(message))

    # --- what is made sensible ---

    @property
    def tablet(self) -> RawTablet:
        """Return an enrolled tablet."""
        if self._tablet is None:
            tablet = RawTablet(self._office)
            self._keys[to_base64url(tablet.key.public.spki)] = tablet.key
            assert tablet.enrol().status == 200
            self._tablet = tablet
        return self._tablet

    def heard(self, label: str, status: int, code: str | None, content: Any) -> None:
        """Take note of an answer; a tablet that is refused for good is replaced by a fresh one."""
        self.answers.setdefault(label, set()).add(status)
        if code in {"journal_forked", "installation_fenced", "installation_superseded"}:
            self._tablet = None
        elif label == f"POST {SYNC}" and status == 200 and isinstance(content, dict):
            acknowledged = json.loads(content["ack"]["text"])
            self.tablet.acked = acknowledged["acked_seq"]

    def sync_body(self, generated: Any) -> Any:
        """Return a generated sync, made valid to some degree."""
        part = share(generated, 4)
        if part == 0 or not isinstance(generated, dict):
            return generated
        tablet = self.tablet
        if part == 1:
            return {**generated, "protocol": PROTOCOL, "installation": tablet.installation}
        entries = (
            (generated.get("push") or {}).get("entries") if isinstance(generated.get("push"), dict) else None
        )
        texts = [text for text in entries if isinstance(text, str)] if isinstance(entries, list) else []
        if part == 2:
            texts = [*texts[:20], *self._entries(generated)]
        return {**tablet.request(), **_pull_of(generated), **self._run(texts[:40])}

    def _run(self, texts: list[str]) -> dict[str, Any]:
        """Append texts to the tablet's journal; return the members that push them."""
        tablet = self.tablet
        texts = [text for text in texts if _is_unicode(text)]
        tablet.journal = [*tablet.journal[: tablet.acked], *texts]
        previous = tablet.head_at(tablet.acked)
        digests = chain(previous["digest"], map(entry_sha256, texts))
        push = {"first_seq": tablet.acked + 1, "previous_digest": previous["digest"], "entries": texts}
        head = {"seq": len(tablet.journal), "digest": digests[-1]} if digests else previous
        return {"push": push if texts else None, "journal_head": head}

    def _entries(self, generated: Any) -> list[str]:
        """Return entries of some kinds, sound ones and bad ones, chosen by the generated content."""
        first = share(generated, len(_BODIES))
        chosen = [copy.deepcopy(_BODIES[(first + step) % len(_BODIES)]) for step in range(5)]
        texts = []
        for case in chosen:
            body = case["body"]
            if "area" in body and case["code"] is None and body["area"]:
                body["area"] = COMMUNES[0]
            entry_id = self.tablet.ids.new_id()
            if "payment" in body and case["kind"] == "payment_collected":
                body["payment"] = entry_id
            texts.append(self.tablet.entry(case["kind"], body, entry_id)[1])
        return texts

    def enrolment_body(self, generated: Any) -> Any:
        """Return a generated enrolment, made valid to some degree."""
        part = share(generated, 4)
        if part == 0 or not isinstance(generated, dict):
            return generated
        key = PrivateKey(hashlib.sha256(repr(generated).encode("utf-8", "backslashreplace")).digest())
        public_key = to_base64url(key.public.spki)
        self._keys[public_key] = key
        changed = {**generated, "protocol": PROTOCOL, "public_key": public_key}
        if part == 1:
            return changed
        number = int.from_bytes(hashlib.sha256(public_key.encode()).digest()[:6], "big")
        return {
            **changed,
            "installation": f"00000000-0000-4000-8000-{number:012x}",
            "code": self._office.enrolment_code("an"),
            "predecessor": None,
            "clock": self.tablet.clock_shown(),
        }

    def code_body(self, generated: Any) -> Any:
        """Return a generated request for a code, mostly for a worker who exists."""
        if not isinstance(generated, dict) or share(generated, 4) == 0:
            return generated
        # Several of them: one body would always be sent with a log-in, or in one run of eight never.
        workers = sorted(self._office.agents.values())
        return {"worker": workers[share(generated, len(workers))]}

    def some_worker(self) -> str:
        """Return an agent whose tablets have delivered."""
        return self._office.agents["an"]

    def some_statement(self) -> int:
        """Return the number of an accepted period; accepts one where there is none."""
        if self._statement is None:
            zone, day = self._office.runtime.config.time_zone, date(2020, 5, 11)
            accepted = self._office.change(
                lambda change: accept_period(change, zone, OFFICE_CAMPAIGN, day, "Để thử các địa chỉ")
            )
            self._statement = accepted.number
        return self._statement

    def some_fund(self) -> int:
        """Return the number of a fund; sets one up where there is none."""
        if self._fund is None:
            self._fund = self._office.change(lambda change: create_fund(change, FUND, a_fund())).number
        return self._fund

    def some_dispute(self, *, is_fresh: bool = False) -> tuple[str, str]:
        """Return a household of which two tablets said different things, and the later entry."""
        if self._dispute is None or is_fresh:
            app = self._office.app
            # These two sign for themselves.
            between, app.wsgi_app = app.wsgi_app, self._inner
            first, second = (RawTablet(self._office, agent) for agent in ("an", "binh"))
            assert (first.enrol().status, second.enrol().status) == (200, 200)
            household = first.household()
            first.sync()
            for tablet, members in ((first, 3), (second, 4)):
                body = {"household": household, "base": household, "set": {"members": members}}
                last = tablet.append("household_amended", body)
                tablet.sync()
            app.wsgi_app = between
            self._dispute = household, last
        return self._dispute

    def some_receipt(self) -> str:
        """Return the digits of a receipt that the office keeps."""
        return self._watched.receipt_digits


def _pull_of(generated: dict[str, Any]) -> dict[str, Any]:
    """Return a generated pull where the schema takes it, else one from nothing."""
    pull = generated.get("pull")
    has_limit = isinstance(pull, dict) and type(pull.get("limit")) is int
    return {
        "pull": {"have": [], "limit": min(max(pull["limit"], 1), LIMITS.pull_rows), "differing": []}
        if has_limit
        else None
    }


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
