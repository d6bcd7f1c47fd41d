"""What a device lets go of once it is durable: personal details of finished work, and nothing else."""

from __future__ import annotations

import json

from field_client.purging import PURGED_AFTER_MS
from field_client.store import SCHEMA_VERSION, Store


def synced_and_durable(field, client):
    """Sync, let both of two backups hold everything, and let the time go by after which it may go."""
    client.sync()
    field.server.durable_seq = client.outbox.head().seq
    field.clock.ms += PURGED_AFTER_MS
    client.sync()


def test_finished_work_loses_its_details_and_stays_in_the_list(field, a_household, an_enrolment):
    """[R10.1] Below the durable mark; kind, state, digest and what the list shows stay."""
    client = field.enrolled()
    household = a_household(client)
    enrolment = an_enrolment(client)
    paid = client.actions.collect_payment([(enrolment, 415_800)])
    before = [client.outbox.digest_at(client.identities.current().installation, seq) for seq in range(7)]
    synced_and_durable(field, client)
    entry = client.outbox.entry(household)
    assert (entry.is_purged, entry.state, entry.kind) == (True, "applied", "household_registered")
    assert entry.body == {"area": "28249@2004-01-01", "head_name": "Trần Văn Hộ"}
    assert client.projection.household(household).fields["head_name"] == "Trần Văn Hộ"
    (person,) = client.outbox.entries_of_kind("person_registered")
    assert "national_id" not in person.body
    assert "999188000001" not in person.raw
    after = [client.outbox.digest_at(client.identities.current().installation, seq) for seq in range(7)]
    assert after == before
    # What proves money stays whole: it can be shown, voided and sent again.
    assert not client.outbox.entry(paid.payment_id).is_purged
    assert client.receipts.of_payment(paid.payment_id).token == paid.receipt.token
    assert client.actions.void_payment(paid.payment_id, "Nhầm").amount_vnd == 415_800


def test_what_is_young_waiting_or_above_the_mark_is_not_purged(field, a_household):
    """[R10.1] Not above `durable_seq`, not above the acknowledged end, and nothing that waits."""
    field.server.quarantine_kinds["visit_recorded"] = "area_unknown"
    client = field.enrolled()
    durable, above = a_household(client), a_household(client, "Hai")
    waiting = client.actions.record_visit(household=durable, disposition="agreed")
    client.sync()
    field.server.durable_seq = 1
    client.sync()
    assert client.purge() == 0
    field.clock.ms += PURGED_AFTER_MS
    client.sync()
    assert [client.outbox.entry(each).is_purged for each in (durable, above, waiting)] == [True, False, False]
    field.server.durable_seq = 9
    unsent = a_household(client, "Ba")
    client.sync()
    field.clock.ms += PURGED_AFTER_MS - 1
    client.sync()
    assert [client.outbox.entry(each).is_purged for each in (above, waiting, unsent)] == [True, False, False]


def test_a_purged_run_is_declared_as_a_hole_and_never_sent(field, a_household):
    """[R4.3] From the first entry asked for to the last purged one in a row, with the digest there."""
    client = field.enrolled()
    for name in ("Một", "Hai"):
        a_household(client, name)
    synced_and_durable(field, client)
    a_household(client, "Ba")
    installation = client.identities.current().installation
    batch = client.outbox.batch(installation, 1, 500, 1_000_000)
    assert (batch.hole.from_seq, batch.hole.floor_seq) == (1, 2)
    assert batch.hole.floor_digest == batch.previous_digest == client.outbox.digest_at(installation, 2)
    assert [json.loads(raw)["body"]["head_name"] for raw in batch.entries] == ["Ba"]
    inside = client.outbox.batch(installation, 2, 500, 1_000_000)
    assert (inside.hole.from_seq, inside.hole.floor_seq) == (2, 2)


def test_a_file_of_the_first_version_is_taken_over(field, a_household):
    client = field.enrolled()
    household = a_household(client)
    client.sync()
    home = client.store.home
    connection = client.store.connection
    for statement in (
        "ALTER TABLE entry DROP COLUMN purged_ms",
        "ALTER TABLE installation DROP COLUMN rejudged_from",
        "ALTER TABLE journal DROP COLUMN epoch",
        "ALTER TABLE journal DROP COLUMN code",
        "ALTER TABLE journal DROP COLUMN field",
        "PRAGMA user_version = 1",
    ):
        connection.execute(statement)
    client.close()
    store = Store(home)
    assert store.connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert store.connection.execute("SELECT epoch FROM journal").fetchall() == [(1,)]
    store.close()
    again = field.client()
    assert again.outbox.entry(household).state == "applied"
    assert again.sync().is_clean
