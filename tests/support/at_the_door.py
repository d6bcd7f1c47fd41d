"""What agents do at a door in stories, by the real client; and what happens to their tablets."""

from __future__ import annotations

import shutil
from typing import Any

from field_client.client import FieldClient
from tests.support.small_office import COMMUNES, SmallOffice


def a_household(client: FieldClient, name: str = "Lê Văn Tám") -> str:
    """Register a household in the second commune."""
    return client.actions.register_household(area=COMMUNES[1], head_name=name, address="1 Hùng Vương")


def a_paid_enrolment(client: FieldClient, national_id: str = "000190000001") -> Any:
    """Capture a household, a person, an enrolment and its payment with the receipt."""
    household = client.actions.register_household(area=COMMUNES[1], head_name="Lê Văn Tám", address="1")
    person = client.actions.register_person(
        full_name="Lê Thị Bưởi", household=household, national_id=national_id
    )
    enrolment = client.actions.record_enrolment(
        person=person,
        scheme="voluntary",
        status="new",
        from_month="2020-06",
        months=3,
        amount_due_vnd=300_000,
        campaign=1,
    )
    return client.actions.collect_payment([(enrolment, 300_000)])


def clone_of(office: SmallOffice, client: FieldClient) -> FieldClient:
    """Return a second copy of a tablet's home, as a restored backup makes it."""
    home = office.folder / f"clone-{len(list(office.folder.iterdir()))}"
    client.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(client.store.home, home)
    return office.open_tablet(home)
