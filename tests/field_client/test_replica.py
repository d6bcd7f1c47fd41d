"""Pulled rows: cursors, sums, grants that come and go, and own entries on top."""

from __future__ import annotations

import pytest

from field_client.transport import LineDownError

AREA = "28249@2004-01-01"
OTHER = "28252@2004-01-01"


def scope(area):
    return f"area:{area}"


def test_a_long_pull_goes_on_to_the_head_page_by_page(field):
    """[P4] A device asks again until every granted scope stands at its head."""
    client = field.enrolled()
    field.server.granted = {"office", scope(AREA)}
    for number in range(25):
        field.server.put("office", "area", f"a{number}", {"name": str(number)})
        field.server.put(scope(AREA), "household", f"h{number}", {"head_name": str(number)})
    field.server.page_rows = 7
    report = client.sync()
    assert (report.received, report.is_clean) == (50, True)
    assert len(client.replica.records("household")) == 25
    shown = client.replica.cursors()["office"]
    assert (shown.seq, shown.row_count) == (25, 25)


def test_changes_and_removals_keep_the_sum_equal(field):
    client = field.enrolled()
    field.server.granted = {"office"}
    field.server.put("office", "area", "a1", {"name": "một"})
    field.server.put("office", "area", "a2", {"name": "hai"})
    client.sync()
    field.server.put("office", "area", "a1", {"name": "một mới"})
    field.server.remove("office", "area", "a2")
    report = client.sync()
    assert report.is_clean
    assert client.replica.records("area") == {"a1": {"name": "một mới"}}


def incidents_of(client):
    return client.store.connection.execute("SELECT kind, scope FROM incident").fetchall()


def test_a_sum_that_still_differs_after_a_refetch_is_an_incident_and_is_said(field):
    """[A3] [S2] A difference is written down as an incident and is not shown as synced."""
    client = field.enrolled()
    field.server.granted = {"office"}
    field.server.sum_offset = 1
    report = client.sync()
    assert report.differing_scopes == ["office"]
    assert not report.is_clean
    assert incidents_of(client) == [("sum_mismatch", "office"), ("sum_mismatch_again", "office")]
    pulls = [request["pull"]["differing"] for request in field.server.requests if request["pull"]]
    assert pulls == [[], ["office"]], "once in a session"


def test_a_scope_whose_sum_differs_is_fetched_again_alone_and_then_agrees(field):
    """[S3] A scope that differs is read from 0 in the same session, and no other one."""
    client = field.enrolled()
    field.server.granted = {"office", scope(AREA)}
    for number in range(4):
        field.server.put("office", "area", f"a{number}", {"name": str(number)})
        field.server.put(scope(AREA), "household", f"h{number}", {"head_name": str(number)})
    assert client.sync().received == 8
    client.store.connection.execute("DELETE FROM listed WHERE record_id = 'h2'")
    client.store.connection.execute(
        "INSERT INTO listed VALUES (?, 'household', 'ghost', 'ff')", (scope(AREA),)
    )
    client.store.connection.execute(
        "UPDATE cursor SET row_count = 4, row_sum = '00000000000000ff' WHERE scope = ?", (scope(AREA),)
    )
    field.server.page_rows = 3
    report = client.sync()
    assert (report.is_clean, report.received, report.differing_scopes) == (True, 4, [])
    assert incidents_of(client) == [("sum_mismatch", scope(AREA))]
    assert sorted(client.replica.records("household")) == ["h0", "h1", "h2", "h3"]
    assert client.sync().rounds == 1


def test_own_work_stays_in_view_while_a_scope_differs(field, a_household):
    """What the pulled rows may lack is shown from the own journal."""
    client = field.enrolled()
    household = a_household(client)
    field.server.granted = {"office"}
    field.server.sum_offset = 1
    client.sync()
    assert client.projection.household(household).fields["head_name"] == "Trần Văn Hộ"


def test_a_lost_answer_to_a_refetch_is_asked_for_again(field):
    client = field.enrolled()
    field.server.granted = {"office"}
    field.server.put("office", "area", "a1", {"name": "một"})
    client.sync()
    client.store.connection.execute("DELETE FROM listed")
    client.store.connection.execute("UPDATE cursor SET row_count = 0")

    def lose_the_refetch():
        if field.server.requests[-1]["pull"]["differing"]:
            field.server.before_answer, field.server.lose_answers = None, 5

    field.server.before_answer = lose_the_refetch
    with pytest.raises(LineDownError):
        client.sync()
    field.server.lose_answers = 0
    assert client.sync().is_clean
    assert client.replica.records("area") == {"a1": {"name": "một"}}


def test_a_revoked_device_drains_its_outbox_and_then_purges_what_it_pulled(field, a_household):
    """[P6] [P7] Without grants everything pulled leaves; own entries, sent or not, never do."""
    client = field.enrolled()
    field.server.granted = {"office", scope(AREA)}
    field.server.put(scope(AREA), "household", "h1", {"head_name": "một"})
    client.sync()
    household = a_household(client)
    field.server.granted = set()
    field.server.quarantine_kinds["household_registered"] = "installation_revoked"
    report = client.sync()
    assert (report.unsent, report.quarantined) == (0, 1)
    assert (client.replica.records("household"), client.replica.cursors()) == ({}, {})
    assert client.outbox.entry(household).code == "installation_revoked"


def test_a_scope_that_is_no_longer_granted_leaves_with_its_records(field):
    """[P6] A scope that is no longer granted is dropped at the heads."""
    client = field.enrolled()
    field.server.granted = {scope(AREA), scope(OTHER)}
    field.server.put(scope(AREA), "household", "h1", {"head_name": "một"})
    field.server.put(scope(OTHER), "household", "h1", {"head_name": "một"})
    field.server.put(scope(OTHER), "household", "h2", {"head_name": "hai"})
    client.sync()
    field.server.granted = {scope(AREA)}
    assert client.sync().is_clean
    assert list(client.replica.records("household")) == ["h1"]
    assert list(client.replica.cursors()) == [scope(AREA)]


def test_a_record_that_moves_between_scopes_is_never_missing(field):
    """[P5] A record that moves between scopes is never missing in between."""
    client = field.enrolled()
    field.server.granted = {scope(AREA), scope(OTHER)}
    field.server.put(scope(AREA), "household", "h1", {"head_name": "một"})
    client.sync()
    field.server.remove(scope(AREA), "household", "h1")
    field.server.put(scope(OTHER), "household", "h1", {"head_name": "một"})
    field.server.page_rows = 1
    seen = []
    client.sync(lambda *_: seen.append(list(client.replica.records("household"))))
    assert seen == [["h1"], ["h1"]]


def test_a_new_epoch_of_a_scope_starts_that_scope_again(field):
    """[R11.1] A device that hears a newer epoch reads the scope from 0."""
    client = field.enrolled()
    field.server.granted = {"office"}
    field.server.put("office", "area", "a1", {"name": "một"})
    field.server.put("office", "area", "a2", {"name": "hai"})
    client.sync()
    kept = field.server.scopes["office"]
    kept.epoch, kept.head = 2, 1
    del kept.rows["area", "a2"]
    report = client.sync()
    assert report.is_clean
    assert list(client.replica.records("area")) == ["a1"]


def test_own_entries_lie_over_pulled_rows_until_these_show_them(field, a_household):
    client = field.enrolled()
    household = a_household(client, "Cũ")
    amendment = client.actions.amend_household(household, head_name="Mới", phone="0912345678")
    view = client.projection.household(household)
    assert (view.fields["head_name"], view.last_entry, view.state) == ("Mới", amendment, "unsent")
    field.server.granted = {scope(AREA)}
    pulled = {"area": AREA, "head_name": "Mới", "phone": "••••678", "last_entry": amendment}
    field.server.put(scope(AREA), "household", household, pulled)
    client.sync()
    view = client.projection.household(household)
    assert (view.fields["phone"], view.last_entry, view.state) == ("••••678", amendment, "current")


def test_an_edit_is_based_on_the_last_entry_in_view_own_or_pulled(field, a_household):
    """[M1] `base` is the last entry, own or pulled, in the device's view of the record."""
    client = field.enrolled()
    household = a_household(client)
    first = client.actions.amend_household(household, head_name="Một")
    second = client.actions.amend_household(household, head_name="Hai")
    bases = [entry.body.get("base") for entry in client.outbox.entries_touching("household", household)]
    assert bases == [None, household, first]
    field.server.granted = {scope(AREA)}
    others = "0171f000-0000-7000-8000-000000000001"
    field.server.put(scope(AREA), "household", household, {"head_name": "Ba", "last_entry": others})
    client.sync()
    third = client.actions.amend_household(household, head_name="Bốn")
    assert client.outbox.entry(third).body["base"] == others
    assert second != others


def test_a_quarantined_edit_is_no_base_and_does_not_show(field, a_household):
    client = field.enrolled()
    household = a_household(client, "Đúng")
    client.actions.amend_household(household, head_name="Sai")
    field.server.quarantine_kinds["household_amended"] = "judgement_failed"
    client.sync()
    view = client.projection.household(household)
    assert (view.fields["head_name"], view.last_entry, view.state) == ("Đúng", household, "quarantined")


def test_work_outside_the_granted_scopes_stays_visible(field, a_household):
    """[P6] Own entries are never purged with a scope."""
    client = field.enrolled()
    household = a_household(client)
    client.sync()
    assert client.projection.household(household).fields["head_name"] == "Trần Văn Hộ"
    assert [view.record_id for view in client.projection.views("household")] == [household]


def test_a_record_is_found_by_either_end_of_its_id(field, a_household):
    client = field.enrolled()
    household = a_household(client)
    assert client.projection.resolve("household", household[-6:]) == household
    assert client.projection.resolve("household", household[:13]) == household
    assert client.projection.resolve("household", household[-3:]) is None
    assert client.projection.resolve("person", household) is None
