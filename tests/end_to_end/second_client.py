"""A second client of the protocol, versions 1 and 2, written from docs/protocol.md alone.

It shares no code with the four packages (tests/architecture/test_second_client.py), keeps everything in one
JSON file that is replaced whole, and leaves out comfort: no command line, no forms, no purge.
"""

from __future__ import annotations

import base64
import fcntl
import gzip
import hashlib
import json
import os
import random
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from tests.end_to_end.second_state import nothing_yet, take_outcomes, take_rows, take_verdicts
from tests.end_to_end.second_wire import (
    Json,
    LineDownError,
    NotCapturableError,
    RefusedError,
    base64url,
    chained,
    check_sendable,
    id_of,
    kid_of,
    new_id,
    new_key,
    normal,
    opened,
    private_key,
    public_der,
    sign,
    token_of,
)

_RECEIPT_KINDS = {"voluntary": 1, "health": 2}
_VOID = 9
_MUST_ENROL = ("journal_forked", "installation_fenced", "installation_superseded", "copy")
_ATTEMPTS_MOST = 5
_CAP_RECEIPTS, _CAP_VND, _CAP_MS = 200, 100_000_000, 14 * 86_400_000


class SecondClient:
    """One device: `path` is its only file, `sleep` waits seconds, `wall_ms` is its (evidence of a) clock.

    `protocol` is the version that it speaks.
    """

    def __init__(
        self,
        path: Path,
        http: httpx.Client,
        sleep: Callable[[float], None] = time.sleep,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        protocol: int = 2,
    ) -> None:
        self.path, self.http, self.sleep, self.wall_ms = path, http, sleep, wall_ms
        self.protocol = protocol
        self.boot = secrets.token_urlsafe(12)
        self.most_entries = 1 << 30
        self._lock = path.with_suffix(".lock").open("w")
        # [Q2] Never two syncs of one journal at once, so never two openers of its file.
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._lock.close()

    # --- the file ---

    def _read(self) -> None:
        self.state: Json = json.loads(self.path.read_text("utf-8")) if self.path.exists() else nothing_yet()
        digest = hashlib.sha256((self.state["installation"] or "").encode()).digest()
        self.digests = [digest]
        for entry in self.state["journal"]:
            self.digests.append(chained(self.digests[-1], entry))

    @contextmanager
    def _written(self) -> Iterator[Json]:
        """Give the state to change; all of the change is on the disk afterwards, or none of it."""
        try:
            yield self.state
            beside = self.path.with_suffix(".new")
            with beside.open("w", encoding="utf-8") as file:
                json.dump(self.state, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        finally:
            self._read()

    # --- what is known ---

    @property
    def head(self) -> int:
        """The last position of the journal, sent or not."""
        return len(self.state["journal"])

    @property
    def is_synced(self) -> bool:
        """[A3] Nothing unsent, nothing quarantined, every scope as the office has it."""
        quarantined = any(self.fate(id_of(entry)) == "quarantined" for entry in self.state["journal"])
        unsent = self.head > self.state["acked"]
        return not (unsent or quarantined or self.state["differing"] or self.state["stopped"])

    def fate(self, entry_id: str) -> str | None:
        """What has become of an own entry as far as is known: its outcome, else its verdict."""
        known = self.state["fates"].get(entry_id, {})
        return known.get("outcome") or known.get("verdict")

    def records(self, kind: str) -> dict[str, Json]:
        """The pulled records of one type, by id."""
        found = {key.partition("/"): held["record"] for key, held in self.state["records"].items()}
        return {record_id: record for (name, _, record_id), record in found.items() if name == kind}

    # --- enrolment ---

    def enrol(self, url: str, code: str) -> None:
        """Become an installation; with a journal already, the successor that carries it over."""
        parts = httpx.URL(url)
        if parts.scheme != "https" and parts.host not in ("127.0.0.1", "::1", "localhost"):
            raise LineDownError("only TLS leaves this machine")
        if self.state["enrolling"] is None or self.state["enrolling"]["url"] != url:
            self._prepare_enrolment(url)
        while True:
            asked = self.state["enrolling"]
            key = private_key(asked["key"])
            body = {
                "protocol": self.protocol,
                "installation": asked["installation"],
                "code": code,
                "public_key": base64url(public_der(key)),
                "predecessor": self.state["installation"],
                "clock": self._clock(),
            }
            try:
                answer = self._call(url, "/api/v1/enrolments", body, key)
            except RefusedError as refused:
                if refused.code != "key_id_taken":
                    raise
                self._prepare_enrolment(url)
                continue
            return self._become(asked, key, answer)

    def _prepare_enrolment(self, url: str) -> None:
        """[N3] The key and the id are on the disk before the code leaves."""
        with self._written() as state:
            asked = {"url": url, "installation": str(uuid.uuid4()), "key": new_key()}
            state["enrolling"] = asked

    def _become(self, asked: Json, key: ec.EllipticCurvePrivateKey, answer: Json) -> None:
        try:
            certificate = answer["certificate"]
            said = opened(certificate, "certificate", answer["office_public_key"])
            named = [said[name] for name in ("installation", "number", "worker", "kid", "predecessor")]
            mine = [answer["number"], answer["worker"]["id"], kid_of(public_der(key))]
        except (KeyError, TypeError, ValueError) as error:
            raise LineDownError("no answer of an enrolment") from error
        if named != [asked["installation"], *mine, self.state["installation"]]:
            raise LineDownError("the certificate is somebody else's")
        with self._written() as state:
            if state["worker"] not in (None, answer["worker"]["id"]):
                # [R3.9] Another worker's code: what was captured stays here, and goes nowhere.
                state["set_aside"].append({"worker": state["worker"], "journal": state["journal"]})
                state |= {"journal": [], "fates": {}, "scopes": {}, "records": {}, "differing": []}
            state |= {
                "url": asked["url"],
                "key": asked["key"],
                "predecessor": state["installation"],
                "installation": asked["installation"],
                "number": answer["number"],
                "worker": answer["worker"]["id"],
                "certificate": certificate,
                "office_key": answer["office_public_key"],
                "receipt_url": answer["receipt_url"],
                "limits": answer["limits"],
            }
            # [R3.4] The journal stays as it is, bytes unchanged: under the new id it is wholly unsent.
            state |= {"enrolling": None, "stopped": None, "acked": 0, "last_ack": None, "counter": 0}

    # --- capture ---

    def capture(self, kind: str, body: Json) -> str:
        """Write one entry; it is on the disk when this returns its id."""
        with self._written() as state:
            return self._append(state, kind, body)

    def _append(self, state: Json, kind: str, body: Json, entry_id: str | None = None) -> str:
        if not state["installation"]:
            raise NotCapturableError("not enrolled")
        entry_id = entry_id or new_id(self.wall_ms())
        entry = {"id": entry_id, "kind": kind, "captured": self._clock(), "body": normal(body)}
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        check_sendable(entry, text, state["limits"])
        state["journal"].append(text)
        return entry_id

    def amend(self, record: str, record_id: str, **fields: Any) -> str:
        """Edit a household or a person on the base that this device sees [M1]."""
        base = self.state["records"].get(f"{record}/{record_id}", {}).get("record", {}).get("last_entry")
        for text in self.state["journal"]:
            entry = json.loads(text)
            fate = self.state["fates"].get(entry["id"], {})
            is_of_it = entry["id"] == record_id or entry["body"].get(record) == record_id
            is_edit = entry["kind"] in (f"{record}_registered", f"{record}_amended")
            is_new = not fate.get("is_reflected") and self.fate(entry["id"]) != "quarantined"
            if is_of_it and is_edit and is_new:
                base = entry["id"]
        if base is None:
            raise NotCapturableError("no such record here")
        return self.capture(f"{record}_amended", {record: record_id, "base": base, "set": fields})

    # --- receipts ---

    def collect(self, allocations: list[tuple[str, int]], scheme: str) -> Json:
        """Take cash and make its receipt, in one write [T4]; return the receipt."""
        if self.is_cap_reached():
            raise NotCapturableError("offline cap")
        own = {id_of(text): json.loads(text) for text in self.state["journal"]}
        first = own.get(allocations[0][0], {"body": {}})
        with self._written() as state:
            payment = new_id(self.wall_ms())
            listed = [{"enrolment": enrolment, "amount_vnd": vnd} for enrolment, vnd in allocations]
            body = {"payment": payment, "scheme": scheme, "method": "cash", "allocations": listed}
            self._append(state, "payment_collected", body, payment)
            amount_vnd = sum(vnd for _, vnd in allocations)
            campaign = first["body"].get("campaign") or 0
            return self._issue(state, _RECEIPT_KINDS[scheme], payment, amount_vnd, campaign, None)

    def void_payment(self, payment: str, reason: str) -> Json:
        """Take a payment back, with a receipt that says so [T4]."""
        issued = next(r for r in self.state["receipts"] if r["payment"] == payment and r["kind"] != _VOID)
        with self._written() as state:
            self._append(state, "entry_voided", {"target": payment, "reason": reason})
            refers = [issued["number"], issued["counter"]]
            return self._issue(state, _VOID, payment, issued["amount_vnd"], issued["campaign"], refers)

    def is_cap_reached(self) -> bool:
        """[T12] Whether what is not acknowledged is too much, in number, amount or age."""
        acked = {id_of(text) for text in self.state["journal"][: self.state["acked"]]}
        waiting = [r for r in self.state["receipts"] if r["kind"] != _VOID and r["payment"] not in acked]
        age_ms = self.wall_ms() - min((r["issued_at_s"] for r in waiting), default=1 << 40) * 1000
        amount_vnd = sum(r["amount_vnd"] for r in waiting)
        return len(waiting) >= _CAP_RECEIPTS or amount_vnd >= _CAP_VND or age_ms >= _CAP_MS

    def _issue(
        self, state: Json, kind: int, payment: str, amount_vnd: int, campaign: int, refers: list[int] | None
    ) -> Json:
        covered = next(text for text in state["journal"] if id_of(text) == payment)
        key, salt = private_key(state["key"]), secrets.token_bytes(16)
        linked_ack = state["last_ack"]["text"] if state["last_ack"] else None
        before = state["certificate"]["text"].encode()
        if state["counter"]:
            before = base64.b64decode(state["receipts"][-1]["signed"])
        state["counter"] += 1
        payload: list[Any] = [1, state["number"], state["counter"], self.wall_ms() // 1000, kind]
        payload += [amount_vnd, campaign, hashlib.sha256(before + (linked_ack or "").encode()).digest()[:8]]
        payload += [hashlib.sha256(salt + covered.encode()).digest()[:16], *([refers] if refers else [])]
        signed, digits = token_of(key, payload)
        body = {"payment": payment, "token": digits, "salt": base64url(salt), "linked_ack": linked_ack}
        self._append(state, "receipt_issued", body)
        receipt = {
            "number": state["number"],
            "counter": state["counter"],
            "issued_at_s": payload[3],
            "kind": kind,
            "payment": payment,
            "amount_vnd": amount_vnd,
            "campaign": campaign,
            "signed": base64.b64encode(signed).decode(),
            "digits": digits,
            "qr_text": state["receipt_url"] + digits,
        }
        state["receipts"].append(receipt)
        return receipt

    # --- sync ---

    def sync(self) -> None:
        """Push what is unsent, pull what is new, until neither is left."""
        if self.state["stopped"]:
            raise RefusedError(self.state["stopped"], {})
        while True:
            entries = self._batch()
            reaches_head = self.state["acked"] + len(entries) == self.head
            body = self._sync_body(entries, with_pull=reaches_head)
            try:
                answer = self._call(self.state["url"], "/api/v1/sync", body, private_key(self.state["key"]))
            except RefusedError as refused:
                self._meet(refused, len(entries))
                continue
            if self._take_in(answer, body["push"]) and reaches_head:
                return

    def _batch(self) -> list[str]:
        limits, entries, size = self.state["limits"], [], 0
        for text in self.state["journal"][self.state["acked"] :]:
            size += len(json.dumps(text, ensure_ascii=False).encode()) + 1
            # Without counting on compression: what is left of the body holds the request's other members.
            if len(entries) == min(limits["batch_entries"], self.most_entries) or (
                entries and size > min(limits["body_bytes"], limits["inflated_bytes"]) - 65_536
            ):
                break
            entries.append(text)
        return entries

    def _sync_body(self, entries: list[str], *, with_pull: bool) -> Json:
        state, acked = self.state, self.state["acked"]
        have = [
            {"scope": scope, "epoch": s["epoch"], "seq": s["seq"], "count": len(s["rows"]), "sum": s["sum"]}
            for scope, s in sorted(state["scopes"].items())
        ]
        pull: Json = {"have": have, "limit": state["limits"]["pull_rows"]}
        if self.protocol > 1:
            pull["differing"] = []
        push = {"first_seq": acked + 1, "previous_digest": self.digests[acked].hex(), "entries": entries}
        return {
            "protocol": self.protocol,
            "installation": state["installation"],
            "journal_head": {"seq": self.head, "digest": self.digests[-1].hex()},
            "clock": self._clock(),
            "last_ack": state["last_ack"],
            "predecessor": state["predecessor"],
            "certificate": state["certificate"],
            "push": push if entries else None,
            "pull": pull if with_pull else None,
        }

    def _meet(self, refused: RefusedError, sent: int) -> None:
        """Do what a refusal asks for, or raise it."""
        if refused.code == "body_too_large" and sent > 1:
            self.most_entries = sent // 2
            if "limits" in refused.problem:
                with self._written() as state:
                    state["limits"] = refused.problem["limits"]
            return
        if refused.code == "journal_gap":
            expected = refused.problem["expected_seq"]
            if expected > self.head:
                self._stop("copy")
            if 0 < expected <= self.state["acked"]:
                with self._written() as state:
                    state["acked"] = expected - 1
                return
        if refused.code in _MUST_ENROL:
            self._stop(refused.code)
        raise refused

    def _stop(self, code: str) -> None:
        """[R10.2] Stop, keep everything, enrol again."""
        with self._written() as state:
            state["stopped"] = code
        raise RefusedError(code, {})

    def _take_in(self, answer: Json, push: Json | None) -> bool:
        """Take an answer in whole [A2]; return whether every scope stands at its head."""
        try:
            ack = opened(answer["ack"], "acknowledgement", self.state["office_key"])
            if ack["installation"] != self.state["installation"] or ack["epoch"] < self.state["epoch"]:
                raise LineDownError("an acknowledgement of another journal or time")
            if ack["acked_seq"] > self.head or ack["head"] != self.digests[ack["acked_seq"]].hex():
                self._stop("copy")
            with self._written() as state:
                state |= {"acked": ack["acked_seq"], "epoch": ack["epoch"], "last_ack": answer["ack"]}
                state["limits"] = answer["limits"]
                take_verdicts(state, push, answer["verdicts"])
                take_outcomes(state, answer["outcomes"])
                # A device of version 1 does not know the member; it is not shown what to drop then.
                is_recovering = self.protocol > 1 and answer.get("recovering") is True
                return answer["grants"] is None or take_rows(
                    state, answer["grants"], answer["rows"], is_recovering=is_recovering
                )
        except (KeyError, TypeError, ValueError) as error:
            raise LineDownError("not an answer of the contract") from error

    # --- the line ---

    def _call(self, url: str, path: str, body: Json, key: ec.EllipticCurvePrivateKey) -> Json:
        """Send one signed request until the office answers; busy answers are waited for [W7]."""
        inflated = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        message = "\n".join(["tungnha request v1", "POST", path, hashlib.sha256(inflated).hexdigest()])
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": "second-client/1",
            "Tungnha-Signature": base64url(sign(key, message.encode())),
        }
        for attempt in range(_ATTEMPTS_MOST):
            try:
                answer = self.http.post(url + path, content=gzip.compress(inflated), headers=headers)
                # [W6] No redirect is followed, and what is no JSON object is somebody else's.
                content = answer.json()
            except (httpx.TransportError, ValueError) as error:
                raise LineDownError("no answer") from error
            if answer.status_code in (429, 503) and attempt + 1 < _ATTEMPTS_MOST:
                self.sleep(float(answer.headers.get("Retry-After", "1")) + random.random() * 2**attempt)
                continue
            if isinstance(content, dict) and answer.is_success:
                return content
            if isinstance(content, dict) and isinstance(content.get("code"), str):
                raise RefusedError(content["code"], content)
            break
        raise LineDownError("not an answer of the contract")

    def _clock(self) -> Json:
        return {
            "wall_ms": self.wall_ms(),
            "boot": self.boot,
            "monotonic_ms": time.monotonic_ns() // 1_000_000,
        }
