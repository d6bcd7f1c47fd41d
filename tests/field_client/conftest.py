from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from field_client.client import FieldClient
from tests.field_client.fake_server import FakeServer


class HandClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ms = 1_590_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.ms


class Field:
    """A server, a clock and any number of clients in homes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = FakeServer()
        self.clock = HandClock()
        self.waits: list[float] = []
        self._open: list[FieldClient] = []

    def client(self, name: str = "a") -> FieldClient:
        client = FieldClient(
            self.folder / name,
            clock=self.clock,
            transport=self.server.transport,
            sleep=self.waits.append,
        )
        self._open.append(client)
        return client

    def enrolled(self, name: str = "a", worker: str = "w1") -> FieldClient:
        client = self.client(name)
        client.enrol("https://office.example", self.server.new_code(worker))
        return client

    def close(self) -> None:
        for client in self._open:
            client.close()


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    it = Field(tmp_path)
    yield it
    it.close()


AREA = "28249@2004-01-01"


@pytest.fixture
def a_household():
    def register(client: FieldClient, name: str = "Trần Văn Hộ") -> str:
        return client.actions.register_household(area=AREA, head_name=name, address="12 ấp Bình Đức")

    return register


@pytest.fixture
def an_enrolment(a_household):
    def record(client: FieldClient, scheme: str = "voluntary", campaign: int | None = 7) -> str:
        person = client.actions.register_person(
            full_name="Lê Thị Bé", household=a_household(client), national_id="999188000001"
        )
        return client.actions.record_enrolment(
            person=person,
            scheme=scheme,
            status="new",
            from_month="2020-06",
            months=3,
            amount_due_vnd=415_800,
            campaign=campaign,
        )

    return record
