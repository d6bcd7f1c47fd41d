"""Writes down what clients sent and heard, outside of client and server, and reads it again.

The lines are written before a client does anything with an answer, so that nothing it was told can
be forgotten with it. Only acknowledgements that the office signed count.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from field_client.transport import LineDownError, NotOurServerError, Reply, Transport
from schemas.signatures import ACKNOWLEDGEMENT_CONTEXT, PublicKey, statement_content
from sync.journal import chain, entry_sha256, genesis_digest

# What the server may say instead of an answer when it is the one in trouble.
DECLARED = {(503, "database_busy"), (507, "storage_full")}
_SUFFIX = ".witness"


class WitnessFile:
    """One process's lines, each written by one system call."""

    def __init__(self, folder: Path, name: str) -> None:
        path = folder / f"{name}{_SUFFIX}"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._told: dict[str, int] = defaultdict(int)

    def sent(self, body: bytes) -> None:
        """Write down the entries of a request that no request before had."""
        content = json.loads(body)
        push = content.get("push")
        if push is None:
            return
        installation, first_seq, entries = content["installation"], push["first_seq"], push["entries"]
        known = max(self._told[installation] + 1 - first_seq, 0)
        if known < len(entries):
            self._write(sent=installation, first_seq=first_seq + known, entries=entries[known:])
            self._told[installation] = first_seq + len(entries) - 1

    def heard(self, reply: Reply) -> None:
        """Write down an answer: what it acknowledges, or the status and code of a refusal."""
        content = self._read(reply)
        if reply.status == 200 and content is not None and "ack" in content:
            self._write(ack=content["ack"], verdicts=content["verdicts"])
            return
        is_problem = reply.headers.get("content-type", "").startswith("application/problem+json")
        code = content.get("code") if content is not None and is_problem else None
        self._write(status=reply.status, code=code, retry_after=reply.headers.get("retry-after"))

    def cut_off(self, error: Exception) -> None:
        """Write down that no answer came."""
        self._write(cut_off=type(error).__name__)

    def _read(self, reply: Reply) -> dict[str, Any] | None:
        try:
            content = json.loads(reply.body)
        except ValueError:
            return None
        return content if isinstance(content, dict) else None

    def _write(self, **members: Any) -> None:
        os.write(self._descriptor, json.dumps(members).encode("ascii") + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class WitnessedTransport:
    """A client's line, with a witness on it."""

    def __init__(self, line: Transport, witness: WitnessFile) -> None:
        self._line, self._witness = line, witness

    def post(self, path: str, body: bytes, signature: str) -> Reply:
        """Post; both directions are written down."""
        self._witness.sent(body)
        try:
            reply = self._line.post(path, body, signature)
        except (LineDownError, NotOurServerError) as error:
            self._witness.cut_off(error)
            raise
        self._witness.heard(reply)
        return reply

    def close(self) -> None:
        """Let the line go."""
        self._line.close()


@dataclass
class Testimony:
    """Everything that the witnesses of one office wrote down."""

    sent: dict[tuple[str, int], str] = field(default_factory=dict)
    acked: dict[str, int] = field(default_factory=dict)
    heads: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    verdicts: dict[tuple[str, int], set[tuple[str, str | None]]] = field(
        default_factory=lambda: defaultdict(set)
    )
    refusals: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    silences: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """Return how many entries the office has signed for."""
        return sum(self.acked.values())

    @property
    def undeclared(self) -> int:
        """Return how many answers said 5xx in a way that docs/error-codes.md does not."""
        return sum(
            number
            for (status, code), number in self.refusals.items()
            if status >= 500 and (status, code) not in DECLARED
        )

    def heads_are_own(self) -> list[str]:
        """Return a line for each signed head that is not the chain of what was sent."""
        found = []
        for installation, last in self.acked.items():
            raws = [self.sent.get((installation, seq)) for seq in range(1, last + 1)]
            if None in raws:
                found.append(f"{installation}: acknowledged what nobody sent")
                continue
            digests = chain(genesis_digest(installation), [entry_sha256(raw) for raw in raws if raw])
            for (of, seq), heads in self.heads.items():
                if of == installation and seq and heads != {digests[seq - 1]}:
                    found.append(f"{installation}: the acknowledged head at {seq} is not the chain's")
        return found


class Witnesses:
    """Reads what was written down in a folder, each line once; one that a kill tore is no line."""

    def __init__(self, folder: Path, office_key: PublicKey) -> None:
        self._folder, self._office_key = folder, office_key
        self._read_bytes: dict[Path, int] = {}
        self._testimony = Testimony()

    def read(self) -> Testimony:
        """Return everything that is written down by now."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            with path.open("rb") as file:
                file.seek(self._read_bytes.get(path, 0))
                whole = file.read().rpartition(b"\n")[0]
                self._read_bytes[path] = self._read_bytes.get(path, 0) + len(whole) + bool(whole)
            for line in whole.splitlines():
                _take(self._testimony, json.loads(line), self._office_key)
        return self._testimony


def _take(testimony: Testimony, members: dict[str, Any], office_key: PublicKey) -> None:
    if "sent" in members:
        for seq, raw in enumerate(members["entries"], start=members["first_seq"]):
            place = (members["sent"], seq)
            if testimony.sent.setdefault(place, raw) != raw:
                testimony.faults.append(f"{place}: sent twice with different bytes")
    elif "ack" in members:
        content = statement_content(office_key, ACKNOWLEDGEMENT_CONTEXT, members["ack"])
        if content is None:
            testimony.silences["unsigned"] += 1
            return
        installation, seq = content["installation"], content["acked_seq"]
        testimony.acked[installation] = max(testimony.acked.get(installation, 0), seq)
        testimony.heads[installation, seq].add(content["head"])
        for verdict in members["verdicts"]:
            place = (installation, verdict["seq"])
            testimony.verdicts[place].add((verdict["verdict"], verdict["code"]))
    elif "status" in members:
        testimony.refusals[members["status"], members["code"]] += 1
        if members["status"] in {503, 507} and not members["retry_after"]:
            testimony.faults.append(f"{members['status']} without Retry-After")
    else:
        testimony.silences[members["cut_off"]] += 1


_UNEXPECTED = re.compile(rb"unexpected_error|judgement_failed|Error handling request")


def unexpected_lines(log: Path) -> list[str]:
    """Return the lines of a server's log that tell of an error nobody foresaw."""
    if not log.exists():
        return []
    lines = log.read_bytes().splitlines()
    return [line.decode(errors="replace")[:300] for line in lines if _UNEXPECTED.search(line)]
