"""A tablet's database is damaged: what can be read is carried over, and the office knows what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from field_client import session
from field_client.damage import set_aside
from field_client.store import STORE_NAME, DamagedStoreError
from field_client.transport import HttpTransport, LineDownError
from server.dashboard.queries import Sight, devices_page
from server.office.rules import AreaFilter
from server.quotas.completeness import completeness_at
from sync.limits import LIMITS
from tests.support.at_the_door import a_household, a_paid_enrolment
from tests.support.office_checks import cash_of, incidents, rows

SPAN = date(2020, 12, 31)


class FirstRequestTransport(HttpTransport):
    """A line that goes dead after one request."""

    posted = 0

    def post(self, path, body, signature):
        if self.posted:
            raise LineDownError("gone")
        self.posted += 1
        return super().post(path, body, signature)


@pytest.fixture
def reported(office, monkeypatch):
    """A tablet of which the office has 3 entries and knows that there are 8, closed."""
    client = office.tablet("an")
    a_paid_enrolment(client)
    for name in ("Một", "Hai", "Ba"):
        a_household(client, name)
    client._transport = lambda url: FirstRequestTransport(url, office.http())
    with monkeypatch.context() as patched:
        patched.setattr(session, "LIMITS", replace(LIMITS, batch_entries=3))
        with pytest.raises(LineDownError):
            client.sync()
    assert rows(office, "SELECT acked_seq, journal_head_seq FROM installation WHERE number > 0") == [(3, 8)]
    client.close()
    return client.store.home


def damaged(office, home, harm):
    """Damage the file, and come back enrolled again; return the client and what was lost."""
    harm(home / STORE_NAME)
    with pytest.raises(DamagedStoreError):
        office.open_tablet(home)
    loss = set_aside(home, office.clock)
    client = office.open_tablet(home)
    client.enrol_again(office.enrolment_code("an"))
    assert client.sync().is_clean
    return client, loss


def missing(office):
    """Return what the page of devices says is missing, by the tablet's number; None where it is in use."""
    sight = Sight(AreaFilter(office_wide=True), None)
    with office.runtime.transactions.reading() as connection:
        lines, _ = devices_page(connection, sight, 1, office.clock.now_ms())
    return {line.number: line.missing for line in lines}


def outstanding(office):
    with office.runtime.transactions.reading() as connection:
        zone = office.runtime.config.time_zone
        found = completeness_at(connection, SPAN, office.clock.now_ms(), zone)
    return [each.reason for each in found.outstanding]


def test_what_can_be_read_of_a_damaged_tablet_arrives_once(office, reported):
    def spoil(path):
        content = path.read_bytes()
        path.write_bytes(bytes(100) + content[100:])

    client, loss = damaged(office, reported, spoil)
    assert (loss.saved, loss.missing) == (8, 0)
    assert cash_of(office) == 300_000
    assert rows(office, "SELECT state FROM receipt") == [("reconciled",)]
    assert incidents(office) == {}
    assert missing(office) == {"00001": 0, "00002": None}
    names = {view.fields["head_name"] for view in client.projection.views("household")}
    assert {"Một", "Hai", "Ba"} <= names


def test_the_office_knows_how_much_a_tablet_lost_that_kept_nothing(office, reported):
    client, loss = damaged(office, reported, lambda path: path.unlink())
    assert loss.saved == 0
    assert missing(office) == {"00001": 5, "00002": None}
    office.clock.advance(days=300)
    assert "not_carried_over" in outstanding(office)
    # What the office had is fetched again.
    assert [view.fields["head_name"] for view in client.projection.views("household")] == ["Lê Văn Tám"]
