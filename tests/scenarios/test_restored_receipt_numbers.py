"""A restore brings back what the office said of receipts, before the tablets bring the receipts."""

from __future__ import annotations

from server.receipts.actions import OfficialGiven, give_official_number, receipt_of_number
from tests.support.at_the_door import a_paid_enrolment
from tests.support.office_checks import count, rows
from tests.support.restoring import backed_up, restored


def test_the_insurers_numbers_come_back_before_the_receipts_that_they_stand_beside(office):
    """[R11.6] What the office says of a receipt is in the desk journal; the receipt is on the tablet."""
    client = office.tablet("an")
    client.sync()
    backup = backed_up(office, "backup")
    printed = a_paid_enrolment(client).receipt.number
    client.sync()
    for number, reason in (("0000123", None), ("0000124", "Chép nhầm số ở cuống")):

        def work(change, number=number, reason=reason):
            given = OfficialGiven(printed, "AA/20E", number, reason)
            give_official_number(change, office.runtime.ids, receipt_of_number(change, printed), given)

        office.change(work)
    known = rows(office, "SELECT * FROM official_number ORDER BY id")
    restored(office, backup)
    assert rows(office, "SELECT * FROM official_number ORDER BY id") == known
    assert count(office, "receipt") == 0
    client.sync()
    [(token,)] = rows(office, "SELECT token FROM receipt")
    assert "AA/20E 0000124" in office.app.test_client().get(f"/r/{token}").get_data(as_text=True)
