"""A restore as the command does it: the desk journal brings back what no tablet can."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import text

from schemas.signatures import CERTIFICATE_CONTEXT, PrivateKey, sign_statement
from server.access.actions import disable_account, hash_password, open_account
from server.audit.changes import Actor, run_change
from server.audit.queries import broken_audit_chains
from server.devices.actions import revoke_installation
from server.devices.readmission import NUMBERS_LEFT_OUT
from server.devices.write_offs import confirm_write_off, propose_write_off
from server.office.actions import assign_worker, register_worker
from server.quotas.actions import QuotaAsked, adopt_plan, define_indicator
from server.quotas.rules import Indicator
from server.recovery.actions import RecoveryOpenError, end_recovery
from server.recovery.jobs import gather_heads_nightly
from server.recovery.placing import RestoreError
from server.recovery.queries import recovery_status
from server.recovery.replay import replay_backlog
from server.recovery.restore import restore
from server.recovery.starting import catch_up_desk_journal
from sync.audit import audit_digest, audit_genesis
from tests.support.at_the_door import a_household, a_paid_enrolment
from tests.support.clocks import CountingIds
from tests.support.desk import a_supervisor, decide
from tests.support.office_checks import (
    cash_of,
    count,
    incidents,
    outcome_of,
    rows,
    state_of,
)
from tests.support.raw_tablet import RawTablet
from tests.support.restoring import backed_up, emptied, restored, restored_by_hand
from tests.support.small_office import COMMUNES, DRIVE
from tests.support.staff import PASSWORD, an_account, log_in

INSTALLATIONS = "SELECT id, number, worker_id, state, predecessor_id FROM installation ORDER BY number"


def revoked(office, client):
    installation = client.identities.current().installation
    office.change(lambda change: revoke_installation(change, installation))


def test_a_stolen_tablet_stays_revoked(office):
    """[R11.6] State outside the database: backup, revoke, restore; the stolen tablet reads nothing."""
    client, other = office.tablet("an"), office.tablet("binh")
    a_household(other)
    other.sync()
    client.sync()
    backup = backed_up(office, "backup")
    sent = a_household(client, "Trước khi mất")
    client.sync()
    revoked(office, client)
    done = restored(office, backup)
    assert done.replayed["installation_revoked"] == 1
    after = a_household(client, "Sau khi mất")
    client.sync()
    assert state_of(office, client.identities.current().installation) == "revoked"
    # What was acknowledged before the revocation stays valid; what came after it does not.
    assert outcome_of(office, sent) == ("applied", None)
    assert outcome_of(office, after) == ("quarantined", "installation_revoked")
    a_household(other, "Mới")
    other.sync()
    seen = len(client.replica.records("household"))
    client.sync()
    assert len(client.replica.records("household")) == seen


def test_an_installation_that_the_backup_forgot_is_replayed(office):
    """[R11.6] Enrolment certificate: backup, re-enrol, restore; the tablet goes on as if nothing was."""
    client = office.tablet("an")
    first = a_paid_enrolment(client)
    client.sync()
    backup = backed_up(office, "backup")
    client.enrol_again(office.enrolment_code("an"))
    a_paid_enrolment(client, "000190000002")
    assert client.sync().is_clean
    numbers = rows(office, "SELECT number, state FROM installation ORDER BY number")
    done = restored(office, backup)
    assert done.replayed["installation_enrolled"] == 1
    assert rows(office, "SELECT number, state FROM installation ORDER BY number") == numbers
    assert client.sync().is_clean
    assert cash_of(office) == 600_000
    assert outcome_of(office, first.payment_id) == ("applied", None)


def test_an_installation_that_everybody_forgot_is_let_in_by_its_certificate(office):
    """[R11.4] The desk journal is lost too: number, worker and predecessor come from the certificate."""
    client = office.tablet("an")
    a_household(client)
    client.sync()
    backup = backed_up(office, "backup")
    client.enrol_again(office.enrolment_code("an"))
    a_paid_enrolment(client)
    client.sync()
    known = rows(office, INSTALLATIONS)
    restored_by_hand(office, backup)
    assert client.sync().is_clean
    found = rows(office, INSTALLATIONS)
    assert found == known
    assert cash_of(office) == 300_000
    assert incidents(office)["installation_readmitted"] == 1
    # [R11.5] The next tablet gets a number that nobody had.
    assert office.tablet("binh").identities.current().number == max(row[1] for row in known) + 1


def test_a_certificate_of_another_office_lets_nobody_in(office):
    """[R11.4] Only where this office signed it, and the request is signed with the key that it names."""
    client = office.tablet("an")
    identity = client.identities.current()
    content = json.loads(identity.certificate["text"])
    stranger = sign_statement(PrivateKey.generate(), CERTIFICATE_CONTEXT, content)
    forget(office, identity.installation)
    forged = stranger | {"kid": identity.certificate["kid"]}
    tablet = RawTablet(office, installation=identity.installation)
    for certificate in (stranger, forged, None):
        answer = tablet.post(tablet.request(certificate=certificate))
        assert (answer.status, answer.code) == (401, "installation_unknown")
    # A true certificate, and a request that somebody else signed.
    answer = tablet.post(tablet.request(certificate=identity.certificate))
    assert (answer.status, answer.code) == (401, "signature_invalid")
    assert count(office, "installation") == 0
    assert client.sync().is_clean


def forget(office, installation):
    """Let the database forget an installation, as an old backup would."""
    with office.runtime.transactions.writing() as connection:
        connection.execute(text("DELETE FROM installation WHERE id = :id"), {"id": installation})


def test_a_tablet_enrols_again_in_the_place_of_one_that_was_forgotten(office):
    """[N5] The predecessor's certificate proves it to an office that lost it and the desk journal."""
    backup = backed_up(office, "backup")
    client = office.tablet("an")
    a_paid_enrolment(client)
    client.sync()
    restored_by_hand(office, backup)
    client.enrol_again(office.enrolment_code("an"))
    assert client.sync().is_clean
    assert cash_of(office) == 300_000
    states = rows(office, "SELECT number, state FROM installation ORDER BY number")
    assert states == [(1, "superseded"), (2, "active")]


def test_an_installation_number_is_never_given_again(office):
    """[R11.5] Backup, enrol, restore, enrol: two receipts never carry one number."""
    backup = backed_up(office, "backup")
    client = office.tablet("an")
    paid = a_paid_enrolment(client)
    client.sync()
    restored(office, backup)
    other = office.tablet("binh")
    assert other.identities.current().number == client.identities.current().number + 1
    later = a_paid_enrolment(other, "000190000002")
    client.sync()
    other.sync()
    assert paid.receipt.number != later.receipt.number
    assert rows(office, "SELECT DISTINCT state FROM receipt") == [("reconciled",)]


def test_without_the_desk_journal_many_numbers_are_left_out(office):
    """[R11.5] Nobody knows which numbers were given, so none near them is."""
    backup = backed_up(office, "backup")
    client = office.tablet("an")
    a_paid_enrolment(client)
    client.sync()
    emptied(office)
    office.runtime.transactions.desk_journal.unlink()
    with pytest.raises(RestoreError, match="desk journal is missing"):
        restore(office.runtime, backup)
    restore(office.runtime, backup, without_desk_journal=True)
    assert office.tablet("binh").identities.current().number > NUMBERS_LEFT_OUT
    assert client.sync().is_clean
    assert cash_of(office) == 300_000


def test_numbers_that_were_left_out_stay_left_out_after_the_next_restore(office):
    """[R11.5] Nobody knew which numbers were given; a second restore does not know it any better."""
    backup = backed_up(office, "backup")
    emptied(office)
    office.runtime.transactions.desk_journal.unlink()
    restore(office.runtime, backup, without_desk_journal=True)
    restored(office, backup)
    assert office.tablet("an").identities.current().number > NUMBERS_LEFT_OUT


def test_a_database_that_was_copied_by_hand_gives_no_number_again(office):
    """[R11.5] Its desk journal is gone, and with it the numbers that were given after the copy."""
    backup = backed_up(office, "backup")
    lost = office.tablet("an")
    lost.actions.register_household(area=COMMUNES[1], head_name="Lê Văn Tám", address="1")
    lost.sync()
    restored_by_hand(office, backup)
    catch_up_desk_journal(office.runtime)
    fresh = office.tablet("binh")
    assert fresh.identities.current().number > NUMBERS_LEFT_OUT
    assert lost.sync().is_clean
    assert count(office, "household") == 1
    restored(office, backup)
    assert office.tablet("an").identities.current().number > NUMBERS_LEFT_OUT + 1


@pytest.mark.parametrize("is_by_hand", [True, False])
def test_losing_the_desk_journal_twice_gives_no_number_twice(office, is_by_hand):
    """[R11.5] The same backup again: what was given after the first loss is as unknown as what was before."""
    backup = backed_up(office, "backup")
    numbers = []
    for name in ("an", "binh", "an"):
        office.clock.advance(seconds=1)
        if is_by_hand:
            restored_by_hand(office, backup)
            catch_up_desk_journal(office.runtime)
        else:
            emptied(office)
            office.runtime.transactions.desk_journal.unlink()
            restore(office.runtime, backup, without_desk_journal=True)
        numbers.append(office.tablet(name).identities.current().number)
    assert len({*numbers}) == 3


def test_a_number_that_a_certificate_showed_is_not_given_after_the_next_restore(office):
    """[R11.5] The counter follows every certificate that is shown, and no restore sets it back."""
    backup = backed_up(office, "backup")
    client = office.tablet("an")
    restored_by_hand(office, backup)
    client.sync()
    restored(office, backup)
    assert office.tablet("binh").identities.current().number == client.identities.current().number + 1
    assert client.sync().is_clean


def test_what_the_office_set_up_after_the_backup_is_there_again(office):
    """[R11.6] Workers, assignments, accounts, plans: no tablet could bring them back."""
    backup = backed_up(office, "backup")
    ids = office.runtime.ids

    def set_up(change):
        office.agents["moi"] = register_worker(change, ids, "Lê Thị Mới")
        change.flush()
        assign_worker(change, ids, office.agents["moi"], "agent", area_key=COMMUNES[1])
        account = open_account(change, ids, office.agents["moi"], "moi", hash_password(PASSWORD))
        change.flush()
        indicator = Indicator("doors", "visit")
        define_indicator(change, office.runtime.config.time_zone, indicator, "Gõ cửa", "Doors")
        asked = QuotaAsked("doors", "agent", office.agents["moi"], date(2020, 5, 1), date(2020, 5, 31), 40)
        adopt_plan(change, ids, DRIVE, "initial", [asked])
        return account

    account = office.change(set_up)
    office.change(lambda change: disable_account(change, account))
    client = office.tablet("moi")
    household = a_household(client)
    client.actions.record_visit(household=household, disposition="agreed", campaign=DRIVE)
    assert client.sync().is_clean
    figures = client.replica.records("quota_figure")
    assert [figure["counted"] for figure in figures.values()] == [1]
    done = restored(office, backup)
    assert done.replayed["office_changed"] == 2
    assert rows(office, "SELECT login, is_disabled FROM account WHERE login = 'moi'")[0][1]
    assert client.sync().is_clean
    assert client.replica.records("quota_figure") == figures
    assert rows(office, "SELECT flags FROM entry") == [("[]",), ("[]",)]


def test_the_audit_chains_agree_with_the_heads_in_the_desk_journal(office):
    """[R11.7] Whoever rewrites a chain in the database would have to rewrite the file, and sign it."""
    client = office.tablet("an")
    client.sync()
    assert gather_heads_nightly(office.runtime) == []
    backup = backed_up(office, "backup")
    a_household(client)
    client.sync()
    assert gather_heads_nightly(office.runtime) == []
    # What the restore forgot is no finding, though other rows stand there now.
    restored(office, backup)
    client.sync()
    assert gather_heads_nightly(office.runtime) == []
    chain = f"installation:{client.identities.current().installation}"
    rewrite(office, chain)
    with office.runtime.transactions.reading() as connection:
        assert broken_audit_chains(connection) == []
    assert any(chain in finding for finding in gather_heads_nightly(office.runtime))


def rewrite(office, chain):
    """Rewrite an audit chain whole, so that it is sound in itself, as whoever owns the database can."""
    with office.runtime.transactions.writing() as connection:
        digest = audit_genesis(chain)
        found = connection.execute(
            text("SELECT * FROM audit_row WHERE chain = :c ORDER BY seq"), {"c": chain}
        )
        for row in found.all():
            moment_ms = row.at_ms + 1
            digest = audit_digest(digest, row.seq, moment_ms, row.action, row.subject, row.detail)
            connection.execute(
                text("UPDATE audit_row SET digest = :d, at_ms = :at WHERE chain = :c AND seq = :seq"),
                {"c": chain, "seq": row.seq, "d": digest, "at": moment_ms},
            )
        connection.execute(
            text("UPDATE audit_head SET digest = :d WHERE chain = :c"), {"c": chain, "d": digest}
        )


def test_a_recovering_office_says_so_and_calls_no_receipt_unknown(office):
    """[R11.8] Figures are provisional, and a receipt is «đang khôi phục» until its tablet was heard."""
    an_account(office.runtime, "quanly", "administrator")
    client, late = office.tablet("an"), office.tablet("binh")
    backup = backed_up(office, "backup")
    paid = a_paid_enrolment(client)
    client.sync()
    late.sync()
    unheard = a_paid_enrolment(late, "000190000002")
    assert standing_of(office, paid) == "reconciled"
    assert standing_of(office, unheard) == "unknown"
    done = restored(office, backup)
    assert [each.number for each in done.status.outstanding] == [1, 2]
    assert standing_of(office, paid) == "recovering"
    assert standing_of(office, unheard) == "recovering"
    assert "tạm tính" in board_of(office)
    client.sync()
    assert standing_of(office, paid) == "reconciled"
    assert standing_of(office, unheard) == "recovering"
    with pytest.raises(RecoveryOpenError) as still_open:
        end_recovery(office.runtime, anyway=False)
    assert [each.number for each in still_open.value.status.outstanding] == [2]
    late.sync()
    end_recovery(office.runtime, anyway=False)
    assert "tạm tính" not in board_of(office)
    assert standing_of(office, unheard) == "reconciled"


def test_a_recovery_can_be_closed_without_a_tablet_that_never_comes_back(office):
    client = office.tablet("an")
    a_household(client)
    client.sync()
    restored(office, backed_up(office, "backup"))
    with pytest.raises(RecoveryOpenError):
        end_recovery(office.runtime, anyway=False)
    end_recovery(office.runtime, anyway=True)
    with office.runtime.transactions.reading() as connection:
        assert recovery_status(connection).since_ms is None


def board_of(office):
    with office.app.test_client() as browser:
        log_in(browser, "quanly")
        answer = browser.get("/board")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def standing_of(office, collected):
    with office.app.test_client() as browser:
        return browser.get(f"/api/v1/receipts/{collected.receipt.token}").json["standing"]


def test_a_decision_of_the_desk_waits_for_the_tablet_that_it_is_about(office):
    """[R11.6] Quarantined, corrected at the desk, restored from before: decided again when it is back."""
    client = office.tablet("an")
    client.sync()
    author = a_supervisor(office)
    backup = backed_up(office, "backup")
    household = client.actions.register_household(area="99999@2004-01-01", head_name="Lê Tám", address="1")
    assert client.sync().quarantined == 1
    body = {"area": COMMUNES[1], "head_name": "Lê Tám", "address": "1"}
    decide(office, author, "entry_corrected", target=household, body=body)
    assert client.sync().is_clean
    done = restored(office, backup)
    assert (done.replayed["entry"], done.waiting) == (1, 1)
    assert done.status.waiting[0][1:] == ("entry", "reference_not_seen")
    assert client.sync().quarantined == 1
    with pytest.raises(RecoveryOpenError):
        end_recovery(office.runtime, anyway=False)
    assert replay_backlog(office.runtime) == 0
    assert client.sync().is_clean
    assert outcome_of(office, household) == ("applied", None)
    assert count(office, "household") == 1
    end_recovery(office.runtime, anyway=False)


def test_a_tablet_that_was_given_up_stays_given_up(office):
    """[R11.6] Proposed by one person, confirmed by another, and both are known again."""
    client = office.tablet("an")
    client.sync()
    backup = backed_up(office, "backup")
    installation = client.identities.current().installation
    for number, step in enumerate((proposed, confirm_write_off)):
        actor = Actor(f"account:{number}")
        run_change(
            office.runtime.transactions, actor, office.clock.now_ms(), lambda c, s=step: s(c, installation)
        )
    known = rows(office, "SELECT written_off_ms FROM installation"), rows(office, "SELECT * FROM write_off")
    restored(office, backup)
    assert known == (
        rows(office, "SELECT written_off_ms FROM installation"),
        rows(office, "SELECT * FROM write_off"),
    )


def proposed(change, installation):
    propose_write_off(change, CountingIds(), installation, "Máy rơi xuống sông từ tháng trước")


def test_an_outcome_that_the_restored_office_forgot_is_forgotten_by_the_tablet_too(office):
    """[R2.4] Held before the backup, applied after it: held again, until what it waits for is back."""
    an, binh = office.tablet("an"), office.tablet("binh")
    household = a_household(an)
    visit = binh.actions.record_visit(household=household, disposition="agreed", area=COMMUNES[1])
    binh.sync()
    backup = backed_up(office, "backup")
    an.sync()
    binh.sync()
    assert binh.outbox.entry(visit).state == "applied"
    restored(office, backup)
    binh.sync()
    assert binh.outbox.entry(visit).state == "held"
    an.sync()
    assert binh.sync().is_clean
    assert binh.outbox.entry(visit).state == "applied"


def test_a_desk_journal_that_a_crash_left_one_record_short_is_made_good(office):
    """The machine died between a commit and the file, and the backup was made in between."""
    client = office.tablet("an")
    client.sync()
    backup = backed_up(office, "backup")
    path = office.runtime.transactions.desk_journal
    with_own_record = path.read_bytes().splitlines(keepends=True)
    # The last one says that the backup was verified; the one before it is in the backup.
    path.write_bytes(b"".join(with_own_record[:-2]))
    done = restored(office, backup)
    assert done.replayed == {}
    assert [json.loads(line)["kind"] for line in path.read_bytes().splitlines()][-2:] == [
        json.loads(with_own_record[-2])["kind"],
        "epoch_started",
    ]
    assert client.sync().is_clean
