"""A receipt at the door: signed, numbered and stored by the field client, and its QR code."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from field_client.client import FieldClient
from field_client.receipts import OfflineCap
from schemas.receipt_qr import receipt_matrix
from server.receipts.rendering import qr_svg
from tests.bench.office import served, set_up
from tests.bench.parts import Measures, Part, Scale
from tests.bench.usual_sync import AN_ENROLMENT

_RECEIPT_URL = "http://localhost:8000/r/"
_TOGETHER = 100
_AMOUNT_VND = AN_ENROLMENT["amount_due_vnd"]


def measure(scale: Scale) -> Measures:
    """Collect payments one transaction each, then a hundred a transaction; then draw the codes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'office.sqlite3'}"
        (agent,) = set_up(url)
        with (
            served(url, folder) as server,
            FieldClient(folder / "tablet", cap=OfflineCap(receipts=scale.receipts * 10)) as client,
        ):
            client.enrol(server.address, agent.code)
            enrolment = _enrolment(client, agent.area)
            alone_s = _seconds(_alone(client, enrolment, scale.receipts))
            together_s = _seconds(_together(client, enrolment, scale.receipts))
            tokens = [receipt.token for receipt in client.receipts.receipts()[: max(scale.receipts // 10, 1)]]
    started = time.perf_counter()
    for token in tokens:
        qr_svg(receipt_matrix(_RECEIPT_URL, token))
    drawn_s = time.perf_counter() - started
    return {
        "door_per_s": scale.receipts / alone_s,
        "together_per_s": scale.receipts / together_s,
        "svg_ms": drawn_s * 1000 / len(tokens),
    }


def _enrolment(client: FieldClient, area: str) -> str:
    with client.recording() as actions:
        household = actions.register_household(area=area, head_name="Trần Văn Bảy", address="7 Ấp Nam")
        person = actions.register_person(
            household=household, full_name="Nguyễn Thị Lan", birth_date="1974-03-09"
        )
        return actions.record_enrolment(person=person, **AN_ENROLMENT)


def _seconds(steps: Iterator[None]) -> float:
    started = time.perf_counter()
    for _ in steps:
        pass
    return time.perf_counter() - started


def _alone(client: FieldClient, enrolment: str, receipts: int) -> Iterator[None]:
    for _ in range(receipts):
        client.actions.collect_payment([(enrolment, _AMOUNT_VND)])
        yield


def _together(client: FieldClient, enrolment: str, receipts: int) -> Iterator[None]:
    for start in range(0, receipts, _TOGETHER):
        with client.recording() as actions:
            for _ in range(start, min(start + _TOGETHER, receipts)):
                actions.collect_payment([(enrolment, _AMOUNT_VND)])
        yield


PART = Part(
    "receipts",
    "the field client on SQLite, synchronous=FULL, payment and receipt sealed: one transaction each (as at"
    " the door), and 100 a transaction; QR code as SVG",
    measure,
)
