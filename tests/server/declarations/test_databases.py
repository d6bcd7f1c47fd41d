"""Lists and the insurer's numbers on both databases: the same lines, and a number that stands once."""

from __future__ import annotations

import threading
from datetime import date

from server.declarations.queries import ListAsked, declared_list
from server.receipts.actions import (
    OfficialGiven,
    OfficialRefusedError,
    give_official_number,
    receipt_of_number,
)
from tests.server.declarations.enrolled import MAY, EnrolledOffice, enrolled_office
from tests.support.office_checks import rows


def give(enrolled: EnrolledOffice, key: str, number: str, reason: str | None = None) -> None:
    printed = enrolled.receipts[key]

    def work(change) -> None:
        given = OfficialGiven(printed, "AA/20E", number, reason)
        give_official_number(change, enrolled.office.runtime.ids, receipt_of_number(change, printed), given)

    enrolled.office.change(work)


def test_lists_and_numbers_are_the_same_on_both_databases(any_database):
    with enrolled_office(any_database) as enrolled:
        runtime = enrolled.office.runtime
        give(enrolled, "whole", "0000123")
        give(enrolled, "whole", "0000124", "Chép nhầm số ở cuống biên lai")
        with runtime.transactions.reading() as connection:
            lists = [
                declared_list(connection, runtime.sealer, runtime.config.time_zone, asked, None)
                for asked in (ListAsked("voluntary", *MAY), ListAsked("health", *MAY, "BD@2004-01-01"))
            ]
            # Nothing that one list read leaves the connection as it was not.
            assert (
                declared_list(
                    connection,
                    runtime.sealer,
                    runtime.config.time_zone,
                    ListAsked("voluntary", date(2020, 6, 1), date(2020, 6, 30)),
                    None,
                )
                == []
            )
        assert [len(lines) for lines in lists] == [10, 2]
        whole = next(line for line in lists[0] if line.gathered.name == "Trần Thị Ánh")
        assert [each.official for each in whole.gathered.receipts] == ["AA/20E 0000124"]
        runtime.transactions.engine.dispose()


def test_of_two_people_who_take_the_same_number_at_once_one_is_refused(any_database):
    with enrolled_office(any_database) as enrolled:
        keys = ["whole", "formula", "nobody", "wrong"]
        together, refused = threading.Barrier(len(keys)), []

        def one(key: str) -> None:
            together.wait()
            try:
                give(enrolled, key, "7")
            except OfficialRefusedError as error:
                refused.append(str(error.code))

        threads = [threading.Thread(target=one, args=(key,)) for key in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == ["official_number_taken"] * 3
        assert len(rows(enrolled.office, "SELECT 1 FROM official_number")) == 1
        enrolled.office.runtime.transactions.engine.dispose()
