"""Daily roots: signed, filed, and found out wherever an old line is changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from schemas.signatures import LEDGER_ROOT_CONTEXT, PrivateKey, PublicKey, from_base64url, sign_statement
from server.audit.desk_journal import read_desk_file
from server.cli.ledger_sealing import ledger_roots
from server.money.views import PostedLine
from server.public_ledger.jobs import check_roots, seal_days_nightly
from server.public_ledger.roots import GENESIS, known_roots, seal_days
from server.recovery.actions import end_recovery
from tests.server.public_ledger.funded import FundedOffice, funded_office
from tests.support.restoring import backed_up, restored


@pytest.fixture
def funded(sqlite_url) -> Iterator[FundedOffice]:
    with funded_office(sqlite_url) as office:
        yield office


def three_days(funded: FundedOffice) -> None:
    """Three days with gifts, each signed in the night after it."""
    for amount_vnd in (500_000, 600_000, 700_000):
        funded.door(amount_vnd)
        funded.office.clock.advance(days=1)
        assert seal_days_nightly(funded.office.runtime) == []


def roots(funded: FundedOffice):
    with funded.office.runtime.transactions.reading() as connection:
        return known_roots(connection)


def tamper(funded: FundedOffice, statement: str, **values) -> None:
    """Change the database as somebody with its password would."""
    with funded.office.runtime.transactions.writing() as connection:
        connection.execute(text(statement), values)


def test_each_day_with_lines_has_one_root_that_names_the_one_before(funded):
    three_days(funded)
    funded.office.clock.advance(days=4)
    assert seal_days(funded.office.runtime) == 0
    found = roots(funded)
    assert [(root.epoch, root.number, root.line_count) for root in found] == [(1, 1, 1), (1, 2, 1), (1, 3, 1)]
    said = [json.loads(root.statement["text"]) for root in found]
    assert said[0]["previous"] is None
    assert said[2]["previous"] == {"epoch": 1, "number": 2, "root": found[1].root}
    assert check_roots(funded.office.runtime) == []


def test_days_that_were_left_out_get_a_root_each_later(any_database):
    with funded_office(any_database) as funded:
        for amount_vnd in (500_000, 600_000):
            funded.door(amount_vnd)
            funded.office.clock.advance(days=1)
        assert seal_days(funded.office.runtime) == 2
        assert check_roots(funded.office.runtime) == []


def test_a_root_is_computed_as_the_page_on_it_says(funded):
    """docs/public-ledger.md: SHA-256 over the root before, a line feed, and each line as JSON."""
    three_days(funded)
    with funded.office.runtime.transactions.reading() as connection:
        rows = connection.execute(text("SELECT * FROM ledger_line WHERE fund IS NOT NULL ORDER BY posted_ms"))
        lines = [row._asdict() for row in rows]
    names = list(PostedLine.__dataclass_fields__)
    assert names[:4] == ["entry_id", "step", "line_number", "account"]
    root = GENESIS
    for line, known in zip(lines, roots(funded), strict=True):
        spelled = json.dumps([line[name] for name in names], ensure_ascii=False, separators=(",", ":"))
        root = hashlib.sha256(f"{root}\n{spelled}\n".encode()).hexdigest()
        assert root == known.root


def test_anyone_can_check_the_signatures_with_what_is_public(funded):
    three_days(funded)
    told = funded.office.app.test_client().get("/api/v1/public/ledger-roots").get_json()
    key = PublicKey(from_base64url(told["public_key"]))
    assert len(told["roots"]) == 3
    for root in told["roots"]:
        message = told["context"].encode() + b"\n" + root["text"].encode()
        assert key.verify(message, from_base64url(root["signature"]))
        assert json.loads(root["text"])["root"] == root["root"]


def test_a_changed_old_line_is_found_and_its_day_named(funded):
    three_days(funded)
    day = roots(funded)[1].day.isoformat()
    tamper(funded, "UPDATE ledger_line SET credit_vnd = 1 WHERE credit_vnd = 600000 AND fund IS NOT NULL")
    assert check_roots(funded.office.runtime) == [f"{day} (root 1.2): the ledger is not what was signed"]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM ledger_line WHERE credit_vnd = 500000 AND fund IS NOT NULL", "0 lines instead of 1"),
        (
            (
                "INSERT INTO ledger_line SELECT 'x', step, 1, account, fund, bucket, 0, 9, 0, 0,"
                " business_day, posted_ms, 'x' FROM ledger_line"
                " WHERE credit_vnd = 500000 AND fund IS NOT NULL"
            ),
            "2 lines instead of 1",
        ),
    ],
)
def test_a_line_that_is_taken_out_or_slipped_in_is_found(funded, statement, told):
    three_days(funded)
    tamper(funded, statement)
    (finding,) = check_roots(funded.office.runtime)
    assert finding.startswith(roots(funded)[0].day.isoformat())
    assert told in finding


def test_whoever_recomputes_the_table_of_roots_too_is_found_by_the_file(funded):
    """Even with the office's key in hand: the file outside the database still says otherwise."""
    three_days(funded)
    runtime = funded.office.runtime
    day = roots(funded)[1].day.isoformat()
    tamper(funded, "UPDATE ledger_line SET credit_vnd = 1 WHERE credit_vnd = 600000 AND fund IS NOT NULL")
    kept = roots(funded)
    tamper(funded, "DELETE FROM ledger_root WHERE number > 1")
    forged_days = seal_days(runtime)
    assert forged_days == 2
    # What was forged must not stand in the file: as if the attacker had never met the server.
    path = runtime.transactions.desk_journal
    honest = path.read_text().splitlines(keepends=True)[:-2]
    path.write_text("".join(honest))
    assert [root.root for root in roots(funded)][1:] != [root.root for root in kept][1:]
    findings = check_roots(runtime)
    assert findings[0] == f"{day} (root 1.2): the database says something else than the desk journal"
    assert f"{day} (root 1.2): the ledger is not what was signed" in findings


def test_a_root_that_another_key_signed_is_found_where_there_is_no_file(funded, monkeypatch):
    three_days(funded)
    runtime = funded.office.runtime
    first = roots(funded)[0]
    content = json.loads(first.statement["text"])
    forged = sign_statement(PrivateKey.generate(), LEDGER_ROOT_CONTEXT, content)
    tamper(
        funded,
        "UPDATE ledger_root SET kid = :kid, signature = :signature WHERE number = 1",
        kid=forged["kid"],
        signature=forged["signature"],
    )
    monkeypatch.setattr(runtime.transactions, "desk_journal", None)
    assert check_roots(runtime) == [f"{first.day.isoformat()} (root 1.1): not signed by the office"]


def test_roots_stand_in_a_file_outside_the_database(funded):
    three_days(funded)
    path = funded.office.runtime.transactions.desk_journal
    filed = [line.members["statement"] for line in read_desk_file(path) if line.kind == "ledger_root"]
    assert filed == [root.statement for root in roots(funded)]


def test_after_a_restore_a_new_chain_begins_and_names_the_last_root_that_was_known(funded):
    funded.door(500_000)
    funded.office.clock.advance(days=1)
    seal_days(funded.office.runtime)
    backup = backed_up(funded.office, "before")
    funded.door(600_000)
    funded.office.clock.advance(days=1)
    seal_days(funded.office.runtime)
    before = roots(funded)
    restored(funded.office, backup)
    runtime = funded.office.runtime
    assert roots(funded) == before
    assert seal_days(runtime) == 0, "none is signed while the office recovers"
    assert check_roots(runtime) == []
    end_recovery(runtime, anyway=True)
    assert seal_days(runtime) == 1
    newest = roots(funded)[-1]
    assert (newest.epoch, newest.number) == (2, 1)
    last = {"epoch": 1, "number": 2, "root": before[-1].root}
    assert json.loads(newest.statement["text"])["previous"] == last
    assert check_roots(runtime) == []


def test_the_command_names_the_first_day_that_was_changed(funded, monkeypatch):
    three_days(funded)
    monkeypatch.setattr("server.cli.ledger_sealing.configured_runtime", lambda: funded.office.runtime)
    said = CliRunner().invoke(ledger_roots, ["verify"])
    assert (said.exit_code, said.output[:10]) == (0, "0 findings")
    tamper(funded, "UPDATE ledger_line SET credit_vnd = 1 WHERE credit_vnd = 600000 AND fund IS NOT NULL")
    said = CliRunner().invoke(ledger_roots, ["verify"])
    assert said.exit_code == 1
    assert said.output.startswith(f"{roots(funded)[1].day.isoformat()} (root 1.2)")
    assert CliRunner().invoke(ledger_roots, ["seal"]).output == "0 roots signed.\n"
