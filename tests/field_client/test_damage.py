"""Damaged databases of the desk client: real files, with real bytes changed."""

from __future__ import annotations

import json
import os
import random
import sqlite3

import pytest

from field_client import damage
from field_client.damage import CHECKED_NAME, check, set_aside
from field_client.identity import StoppedByDamageError
from field_client.salvage import read_damaged
from field_client.sealing import SealBrokenError
from field_client.store import KEY_NAME, STORE_NAME, DamagedStoreError, StoreError
from sync.clock import DAY_MS
from tests.field_client.test_cli import AREA, UUID, enrol, run, saved_id

__all__ = ["run"]
PAGE_BYTES = 4096


def pages_of(path, table):
    """Return the numbers of the leaf pages of a table, from 1, in order, read without SQLite's help."""
    with sqlite3.connect(path) as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
        ).fetchone()[0]
    connection.close()
    content = path.read_bytes()

    def leaves(number):
        page = content[(number - 1) * PAGE_BYTES : number * PAGE_BYTES]
        if page[0] in (13, 10):
            return [number]
        cells = int.from_bytes(page[3:5], "big")
        starts = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n], "big") for n in range(cells)]
        below = [int.from_bytes(page[start : start + 4], "big") for start in starts]
        return [leaf for each in [*below, int.from_bytes(page[8:12], "big")] for leaf in leaves(each)]

    return leaves(root)


def overwrite(path, offset, length, seed=1):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(random.Random(seed).randbytes(length))


def spoil_magic(path):
    overwrite(path, 0, 16)


def spoil_first_page(path):
    overwrite(path, 0, PAGE_BYTES)


def spoil_middle_page(path):
    leaves = pages_of(path, "entry")
    overwrite(path, (leaves[len(leaves) // 2] - 1) * PAGE_BYTES, PAGE_BYTES)


def flip_a_sealed_byte(path):
    """Inside a sealed value, where SQLite itself sees nothing."""
    with sqlite3.connect(path) as connection:
        sealed = connection.execute("SELECT sealed FROM entry ORDER BY local_id DESC").fetchone()[0]
    connection.close()
    at = path.read_bytes().index(sealed[20:60])
    overwrite(path, at, 4)


def cut_short(path):
    os.truncate(path, path.stat().st_size * 3 // 4)


def empty(path):
    os.truncate(path, 0)


def take_away(path):
    path.unlink()


# What was done to the file, and the least that must be saved of 80 entries.
DAMAGES = {
    spoil_magic: 80,
    spoil_first_page: 80,
    spoil_middle_page: 60,
    flip_a_sealed_byte: 79,
    cut_short: 20,
    empty: 0,
    take_away: 0,
}


@pytest.fixture
def worked(field, a_household):
    """A home with 10 delivered entries and 80 that are not, closed; its raws in order."""
    client = field.enrolled()
    for number in range(10):
        a_household(client, f"Hộ đã gửi {number}")
    client.sync()
    for number in range(80):
        a_household(client, f"Hộ số {number}")
    identity = client.identities.current()
    raws = client.outbox.batch(identity.installation, 1, 500, 10**7).entries
    client.close()
    return client.store.home, identity, raws


def tomorrow(field):
    field.clock.ms += DAY_MS


@pytest.mark.parametrize("harm", DAMAGES, ids=lambda harm: harm.__name__)
def test_a_damaged_database_is_set_aside_and_what_can_be_read_is_carried_over(field, worked, harm):
    home, identity, raws = worked
    path = home / STORE_NAME
    harm(path)
    damaged = path.read_bytes() if path.exists() else None
    tomorrow(field)
    with pytest.raises(DamagedStoreError):
        field.client()
    loss = set_aside(home, field.clock)
    assert loss.is_known
    assert loss.saved >= DAMAGES[harm]
    kept = home / loss.file
    assert (kept.read_bytes() if kept.exists() else None) == damaged, "kept byte for byte"

    client = field.client()
    assert client.status().stopped == "store_damaged"
    with pytest.raises(StoppedByDamageError):
        client.actions.register_household(area=AREA, head_name="x", address="y")
    with pytest.raises(StoppedByDamageError):
        client.sync()
    again = client.enrol_again(field.server.new_code())
    assert again.predecessor == identity.installation
    assert client.sync().is_clean
    arrived = field.server.installations[again.installation].raws
    assert len(arrived) == loss.saved
    assert arrived == [raw for raw in raws if raw in set(arrived)], "in order, bytes unchanged"
    assert len(set(raws) - set(arrived)) == 90 - loss.saved
    client.actions.register_household(area=AREA, head_name="x", address="y")
    assert client.sync().is_clean


def test_what_is_lost_is_counted_where_the_journal_still_tells(field, worked):
    home, _, _ = worked
    spoil_middle_page(home / STORE_NAME)
    loss = set_aside(home, field.clock)
    assert 0 < loss.missing < 30
    assert loss.saved + loss.missing == 90


def test_only_what_lies_above_the_durable_mark_is_carried_over(field, a_household):
    client = field.enrolled()
    for number in range(6):
        a_household(client, f"Hộ {number}")
    field.server.durable_seq = 4
    client.sync()
    home = client.store.home
    client.close()
    spoil_magic(home / STORE_NAME)
    assert set_aside(home, field.clock).saved == 2
    opened = field.client()
    assert len(opened.outbox.entries_of_kind("household_registered")) == 6
    opened.enrol_again(field.server.new_code())
    assert opened.outbox.head().seq == 2


def test_receipts_and_their_numbers_outlive_the_damage(field, an_enrolment):
    client = field.enrolled()
    issued = [client.actions.collect_payment([(an_enrolment(client), 415_800)]).receipt for _ in range(2)]
    home = client.store.home
    client.close()
    spoil_first_page(home / STORE_NAME)
    set_aside(home, field.clock)
    opened = field.client()
    found = opened.receipts.receipts()
    assert [(each.number, each.token) for each in found] == [(each.number, each.token) for each in issued]
    assert opened.receipts.cap_standing().amount_vnd == 2 * 415_800


def test_the_whole_file_is_read_once_a_day_and_not_at_every_start(field, worked, monkeypatch):
    home, _, _ = worked
    checked = []
    monkeypatch.setattr(damage, "check", lambda *_: checked.append(field.clock.ms))
    for _ in range(3):
        field.client().close()
    assert checked == []
    tomorrow(field)
    for _ in range(3):
        field.client().close()
    assert checked == [field.clock.ms]
    (home / CHECKED_NAME).write_text("no number")
    field.clock.ms -= 10 * DAY_MS
    field.client().close()
    assert len(checked) == 2


def test_a_journal_whose_chain_is_broken_is_damage(field, worked):
    """Swapped rows: SQLite finds nothing wrong, and every seal opens."""
    home, _, _ = worked
    with sqlite3.connect(home / STORE_NAME) as connection:
        connection.execute("UPDATE journal SET local_id = 121 - local_id WHERE seq IN (60, 61)")
    connection.close()
    tomorrow(field)
    with pytest.raises(DamagedStoreError, match="another entry at 60"):
        field.client()


def test_a_sound_home_passes_every_day(field, worked):
    tomorrow(field)
    client = field.client()
    check(client.store, client.identities)
    assert client.sync().is_clean
    tomorrow(field)
    assert field.client().status().unsent == 0


def test_another_key_file_is_not_called_damage(field, worked):
    home, _, _ = worked
    key = home / KEY_NAME
    key.write_text("00" * 32)
    tomorrow(field)
    with pytest.raises(SealBrokenError):
        field.client()
    assert (home / STORE_NAME).exists()


def test_a_home_of_a_newer_app_is_not_called_damage(field, worked):
    home, _, _ = worked
    with sqlite3.connect(home / STORE_NAME) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(StoreError, match="newer version") as raised:
        field.client()
    assert not isinstance(raised.value, DamagedStoreError)


def test_nothing_is_set_aside_while_another_program_has_the_home_open(field, worked):
    home, _, _ = worked
    other = field.client()
    with pytest.raises(StoreError):
        set_aside(home, field.clock)
    other.close()
    assert set_aside(home, field.clock).saved == 90


@pytest.mark.parametrize("step", ["_move_aside", "_replace", "_sync_folder", "write_salvage"])
@pytest.mark.parametrize("is_done", [False, True])
def test_setting_aside_goes_on_where_it_was_interrupted(field, worked, monkeypatch, step, is_done):
    home, _, _ = worked
    spoil_magic(home / STORE_NAME)
    whole = getattr(damage, step)

    def interrupted(*arguments):
        if is_done:
            whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(damage, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            set_aside(home, field.clock)
    if not (home / "field.damaged").exists():
        spoil = pytest.raises(DamagedStoreError)
        with spoil:
            field.client()
    else:
        with pytest.raises(DamagedStoreError):
            field.client()
    field.clock.ms += 1000
    assert set_aside(home, field.clock).saved == 90
    assert field.client().outbox.unsent_count() == 90
    assert len(list(home.glob("*.damaged-*"))) == 1


def test_a_log_that_was_not_merged_is_read_and_kept_too(field, worked, a_household):
    """A process died, its last entries are in the write-ahead log alone, and the file is damaged."""
    home, _, _ = worked
    client = field.client()
    client.store.connection.execute("PRAGMA wal_autocheckpoint = 0")
    a_household(client, "Chỉ trong nhật ký")
    copies = {end: (home / f"{STORE_NAME}{end}").read_bytes() for end in ("", "-wal")}
    client.close()
    for end, content in copies.items():
        (home / f"{STORE_NAME}{end}").write_bytes(content)
    spoil_middle_page(home / STORE_NAME)
    for end, content in copies.items():
        if end:
            (home / f"{STORE_NAME}{end}").write_bytes(content)
    loss = set_aside(home, field.clock)
    assert (home / f"{loss.file}-wal").read_bytes() == copies["-wal"]
    opened = field.client()
    names = [entry.body["head_name"] for entry in opened.outbox.entries_of_kind("household_registered")]
    assert "Chỉ trong nhật ký" in names


def test_the_commands_say_what_to_do_and_the_agent_goes_on(field, run):
    enrol(field, run)
    home = field.folder / "cli"
    kept = saved_id(run("household", "--area", AREA, "--head-name", "Trần Văn Hộ", "--address", "ấp 1"))
    overwrite(home / STORE_NAME, 0, 100)
    said = run("status", expect=1)
    assert "store_damaged" in said
    assert "được 1 mục" in said
    assert "enrol --again" in said
    assert "store_damaged" in run(
        "household", "--area", AREA, "--head-name", "Hai", "--address", "2", expect=1
    )
    assert "code store_damaged" in run("sync", expect=1, lang="en")
    assert "store_damaged" in run("status")
    assert "mang theo 1 mục" in run("enrol", field.server.new_code(), "--again")
    assert "Đã đồng bộ" in run("sync")
    assert kept in field.server.entries
    assert UUID.search(run("household", "--area", AREA, "--head-name", "Hai", "--address", "2"))


def test_a_home_that_lost_its_copy_too_says_that_nobody_knows_whose_it_was(field, run):
    enrol(field, run)
    home = field.folder / "cli"
    (home / "field.identity").unlink()
    empty(home / STORE_NAME)
    for end in ("-wal", "-shm"):
        (home / f"{STORE_NAME}{end}").unlink(missing_ok=True)
    overwrite(home / STORE_NAME, 0, 50_000)
    said = run("status", expect=1)
    assert "store_damaged" in said
    assert "--server" in said
    assert "chưa đăng ký" in run("status", expect=1)
    run("enrol", field.server.new_code(), "--server", "https://office.example")


def test_random_damage_never_loses_the_file_nor_invents_an_entry(field, worked, tmp_path):
    """Fifty seeds of bytes changed anywhere: the salvage gives only what was written, and ends."""
    home, _, raws = worked
    sound = tmp_path / "sound.sqlite3"
    sound_client = field.client("sound")
    sound_client.close()
    sound.write_bytes((sound_client.store.home / STORE_NAME).read_bytes())
    content = (home / STORE_NAME).read_bytes()
    sealer = field.client().store.sealer
    saved = []
    for seed in range(50):
        rng = random.Random(seed)
        spoilt = bytearray(content)
        for _ in range(rng.randint(1, 40)):
            at = rng.randrange(len(spoilt))
            length = min(rng.choice([1, 8, 512]), len(spoilt) - at)
            spoilt[at : at + length] = rng.randbytes(length)
        path, scratch = tmp_path / f"{seed}.sqlite3", tmp_path / f"scratch-{seed}"
        path.write_bytes(spoilt[: rng.randrange(PAGE_BYTES, len(spoilt) + 1)])
        scratch.mkdir()
        found = read_damaged(path, sealer, scratch, sound)
        assert {entry.raw for entry in found.entries.values()} <= set(raws)
        saved.append(len(found.entries))
        json.dumps([entry.entry_id for entry in found.carried()])
    assert sum(count > 0 for count in saved) > 25
