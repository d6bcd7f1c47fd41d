"""A full disk: new forms wait, nothing that was captured does."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from field_client import store
from field_client.cli import main
from field_client.session import LOCK_NAME
from field_client.store import NoSpaceError, StoreError
from tests.field_client.test_cli import AREA, enrol, run, saved_id

__all__ = ["run"]
MORE_THAN_ANY_DISK = 2**62


def test_a_new_form_is_refused_before_entry_begins_where_the_disk_is_nearly_full(field, run, monkeypatch):
    enrol(field, run)
    home = field.folder / "cli"
    monkeypatch.setattr(store, "RESERVED_BYTES", MORE_THAN_ANY_DISK)
    asked = CliRunner().invoke(main, ["--home", str(home), "household"], obj=lambda _: None, input="x\n" * 5)
    assert asked.exit_code == 1
    assert "Máy sắp hết chỗ" in asked.output
    assert "Địa" not in asked.output, "nothing was asked"


def test_money_already_taken_is_recorded_and_everything_syncs_where_the_disk_is_nearly_full(
    field, run, monkeypatch
):
    enrol(field, run)
    household = saved_id(run("household", "--area", AREA, "--head-name", "Trần Văn Hộ", "--address", "ấp 1"))
    person = saved_id(run("person", "--full-name", "Lê Thị Bé", "--household", household))
    asked = ("--scheme", "health", "--from-month", "2020-06", "--months", "12", "--amount-due", "972000")
    enrolment = saved_id(run("enrolment", person, *asked))
    monkeypatch.setattr(store, "RESERVED_BYTES", MORE_THAN_ANY_DISK)
    assert "Máy sắp hết chỗ" in run("collect", enrolment, expect=1)
    assert "972" in run("collect", enrolment, "--already-taken")
    run("sync")


def test_there_is_space_for_a_form_on_a_disk_with_space(field):
    client = field.client()
    client.store.require_space()
    with pytest.raises(NoSpaceError):
        client.store.require_space(MORE_THAN_ANY_DISK)


def test_a_sync_that_cannot_take_its_lock_for_another_reason_says_so(field):
    client = field.client()
    client.enrol("https://office.example", field.server.new_code())
    (client.store.home / LOCK_NAME).unlink(missing_ok=True)
    (client.store.home / LOCK_NAME).mkdir()
    with pytest.raises(StoreError):
        client.sync()
