"""A tablet in this process: exact control over what is sent, in signed requests, with a witness."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

import httpx

from field_client.transport import Reply
from tests.bench.tablet import BenchTablet
from tests.torture.agent import AMOUNT_VND, COMMUNES, DRIVE
from tests.torture.stage import Stage

CUT_OFF = 0


@dataclass(frozen=True)
class Answer:
    """What came back: status 0 when nothing did."""

    status: int
    content: dict[str, Any]

    @property
    def is_declared(self) -> bool:
        """Return whether the server took it, said that it cannot now, or said nothing."""
        return self.status in {200, 503, 507, CUT_OFF}

    def __str__(self) -> str:
        return f"{self.status} {self.content.get('code', '')}".strip()


class Hand:
    """A key and a journal. A request that got no answer can be sent again, byte for byte."""

    def __init__(self, stage: Stage, name: str, agent: int = 0, quiet_s: float = 60.0) -> None:
        self._stage = stage
        self._witness = stage.witness(name)
        self._http = httpx.Client(base_url=stage.server.url, timeout=quiet_s, trust_env=False)
        self._tablet = BenchTablet(self._http)
        self._tablet.enrol(stage.code(agent))

    def door(self) -> list[str]:
        """Return the entries of one door: household, person, visit, enrolment, payment."""
        household, first = self.entry(
            "household_registered",
            {"area": COMMUNES[0], "head_name": "Lê Văn Tám", "address": "12 Hùng Vương"},
        )
        person, second = self.entry("person_registered", {"full_name": "Lê Thị Bưởi", "household": household})
        _, third = self.visit(household)
        enrolment, fourth = self.entry("enrolment_recorded", an_enrolment(person))
        payment = self.payment(enrolment)
        return [first, second, third, fourth, payment]

    def visit(self, household: str) -> tuple[str, str]:
        """Return an entry that says somebody knocked there."""
        body = {"area": COMMUNES[0], "household": household, "disposition": "agreed", "campaign": DRIVE}
        return self.entry("visit_recorded", body)

    def payment(self, enrolment: str) -> str:
        """Return an entry about money for an enrolment; its id is in its body, too."""
        allocations = [{"enrolment": enrolment, "amount_vnd": AMOUNT_VND}]
        entry_id, text = self.entry(
            "payment_collected",
            {"payment": "", "scheme": "voluntary", "method": "cash", "allocations": allocations},
        )
        return text.replace('"payment":""', f'"payment":"{entry_id}"')

    def entry(self, kind: str, body: dict[str, Any]) -> tuple[str, str]:
        """Return a captured entry's id and text."""
        return self._tablet.entry(kind, body)

    def push(self, entries: list[str]) -> httpx.Request:
        """Append entries to the journal and return the request that delivers them."""
        return self._tablet.push_request(entries)

    def pull(self) -> httpx.Request:
        """Return a request that reads from the start and pushes nothing."""
        return self._tablet.pull_request([], 1000)

    def send(self, request: httpx.Request) -> Answer:
        """Send a request as it is; whatever comes of it is written down."""
        body = request.read()
        self._witness.sent(gzip.decompress(body))
        # A request object cannot be sent twice: what it reads from is used up.
        again = self._http.build_request("POST", request.url, content=body, headers=request.headers)
        try:
            response = self._http.send(again)
        except httpx.HTTPError as error:
            self._witness.cut_off(error)
            return Answer(CUT_OFF, {})
        headers = {name.lower(): value for name, value in response.headers.items()}
        self._witness.heard(Reply(response.status_code, headers, response.content))
        try:
            content = json.loads(response.content)
        except ValueError:
            content = {}
        return Answer(response.status_code, content)

    def close(self) -> None:
        """Let the line go."""
        self._http.close()
        self._witness.close()


def an_enrolment(person: str) -> dict[str, Any]:
    """Return the body of an enrolment that is paid in one go."""
    return {
        "person": person,
        "area": COMMUNES[0],
        "scheme": "voluntary",
        "status": "new",
        "from_day": "2026-12-01",
        "months": 3,
        "amount_due_vnd": AMOUNT_VND,
        "campaign": DRIVE,
    }
