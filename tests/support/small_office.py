"""A small office with everything that a campaign needs, and tablets that sync with it.

Real app, real client: requests go through the WSGI interface, without a socket.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from flask import Flask

from field_client.client import FieldClient
from field_client.transport import HttpTransport
from server.app import create_app
from server.audit.changes import Actor, Change, run_change
from server.campaigns.actions import announce_campaign
from server.config import read_config
from server.devices.actions import create_enrolment_code
from server.office.actions import (
    NewArea,
    NewOrganisation,
    add_member,
    assign_worker,
    form_team,
    register_areas,
    register_organisation,
    register_worker,
)
from server.quotas.actions import QuotaAsked, adopt_plan, define_indicator
from server.quotas.rules import Indicator
from server.runtime import Runtime, runtime_of
from tests.support.clocks import FakeClock
from tests.support.offices import create_schema, office_environment

SERVER_URL = "http://localhost:8000"
LAUNCH_DAY, DRIVE = 1, 2
COMMUNES = ("28249@2004-01-01", "28252@2004-01-01", "28255@2004-01-01")
_SINCE = date(2004, 1, 1)
_ACTOR = Actor("job:test")


@dataclass
class SmallOffice:
    """An office for tests: its app and clock, agents by name, officers, and open tablets."""

    app: Flask
    clock: FakeClock
    folder: Path
    closing: ExitStack
    agents: dict[str, str] = field(default_factory=dict)
    officers: list[str] = field(default_factory=list)
    team: str = ""

    @property
    def runtime(self) -> Runtime:
        """Return the app's runtime."""
        return runtime_of(self.app)

    def change(self, work: Any) -> Any:
        """Run `work` as one change of the office."""
        return run_change(self.runtime.transactions, _ACTOR, self.clock.now_ms(), work)

    def enrolment_code(self, agent: str) -> str:
        """Return a one-time code for a tablet of `agent`."""
        worker = self.agents[agent]
        code: str = self.change(lambda change: create_enrolment_code(change, worker, "test"))
        return code

    def http(self) -> httpx.Client:
        """Return a client that reaches the app without a socket."""
        return httpx.Client(transport=httpx.WSGITransport(app=self.app))

    def open_tablet(self, home: Path) -> FieldClient:
        """Open a tablet's home directory."""
        return self.closing.enter_context(self.client_at(home))

    def client_at(self, home: Path) -> FieldClient:
        """Return a client of a home directory for the caller to open and close, in its own thread."""
        return FieldClient(
            home,
            clock=self.clock,
            transport=lambda url: HttpTransport(url, self.http()),
            sleep=lambda _seconds: None,
        )

    def tablet(self, agent: str, name: str | None = None) -> FieldClient:
        """Enrol a fresh tablet for `agent` and return it open."""
        home = self.folder / (name or f"{agent}-{len(list(self.folder.iterdir()))}")
        client = self.open_tablet(home)
        client.enrol(SERVER_URL, self.enrolment_code(agent))
        return client


@contextmanager
def small_office(database_url: str, clock: FakeClock | None = None) -> Iterator[SmallOffice]:
    """Give an office with three communes, agents An (all three), Bình (the second) and officers."""
    clock = clock or FakeClock()
    create_schema(database_url)
    app = create_app(read_config(office_environment(database_url)), clock)
    with ExitStack() as closing, tempfile.TemporaryDirectory() as folder:
        office = SmallOffice(app, clock, Path(folder), closing)
        office.change(lambda change: _set_up(office, change))
        yield office


def _set_up(office: SmallOffice, change: Change) -> None:
    ids, zone = office.runtime.ids, office.runtime.config.time_zone
    register_areas(
        change,
        [
            NewArea("82", "Tỉnh Tiền Giang", "province", _SINCE, None),
            NewArea("815", "Thành phố Mỹ Tho", "district", _SINCE, "82"),
            NewArea("28249", "Phường 5", "commune", _SINCE, "815"),
            NewArea("28252", "Phường 4", "commune", _SINCE, "815"),
            NewArea("28255", "Phường 7", "commune", _SINCE, "815"),
        ],
    )
    post = register_organisation(change, NewOrganisation("BD", "Bưu điện", "post_office", _SINCE))
    change.flush()
    office.agents["an"] = register_worker(change, ids, "Nguyễn Thị An", post)
    office.agents["binh"] = register_worker(change, ids, "Trần Văn Bình", post)
    office.officers = [register_worker(change, ids, f"Cán bộ {n}", post) for n in (1, 2)]
    change.flush()
    assign_worker(change, ids, office.agents["an"], "agent", area_key="815@2004-01-01")
    assign_worker(change, ids, office.agents["binh"], "agent", area_key=COMMUNES[1])
    announce_campaign(change, LAUNCH_DAY, "Ra quân", "launch_day", date(2020, 5, 12), date(2020, 5, 12))
    announce_campaign(change, DRIVE, "Vận động", "drive", date(2020, 1, 1), date(2020, 12, 31))
    change.flush()
    office.team = form_team(change, ids, "Tổ 1")
    change.flush()
    add_member(change, ids, office.team, office.agents["an"], date(2020, 1, 1))
    for scheme in ("voluntary", "health"):
        indicator = Indicator(f"{scheme}_enrolled", "enrolment", scheme=scheme)
        define_indicator(change, zone, indicator, f"Tham gia {scheme}", f"{scheme} enrolments")
    persuaded = Indicator("persuaded", "enrolment", credits="promoter", credited_when="paid", campaign=DRIVE)
    define_indicator(change, zone, persuaded, "Vận động", "Persuaded")
    quotas = [
        QuotaAsked("voluntary_enrolled", "agent", agent, date(2020, 5, 12), date(2020, 5, 12), 10)
        for agent in office.agents.values()
    ]
    adopt_plan(change, ids, LAUNCH_DAY, "initial", quotas)
