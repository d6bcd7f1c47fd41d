"""Supervisors say that two records are no duplicates, and take it back; the list follows."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from server.dashboard.wording import word_of
from tests.server.workbench.test_duplicate_pages import a_pair, merge, merged_into, text_of
from tests.support.office_checks import problems_of, rows
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import COMMUNES
from tests.support.staff import form_token

NOBODY = "018f0000-0000-7000-8000-000000000000"


@pytest.fixture
def tablet(watched):
    return a_tablet(watched.office, "binh")


def post(client, address):
    return client.post(address, data={"csrf_token": form_token(client, "/devices")})


def mark(client, first, other):
    return post(client, f"/duplicates/{first}/{other}/distinction")


def unmark(client, first, other):
    return post(client, f"/duplicates/{first}/{other}/distinction/undoing")


def listed(client, first, other, tab=""):
    """Return whether a list of the page leads to the pair's comparison."""
    page = client.get(f"/duplicates?tab={tab}").get_data(as_text=True)
    return f'"/duplicates/{first}/{other}"' in page


def marks(watched, first):
    return rows(watched.office, "SELECT * FROM distinct_pair WHERE first_id = :id", id=first)


def audited(watched, subject):
    found = rows(
        watched.office, "SELECT action FROM audit_row WHERE subject = :id ORDER BY at_ms, seq", id=subject
    )
    return [action for (action,) in found]


def test_a_pair_that_is_none_leaves_the_list_and_returns_when_that_is_undone(a_viewer, watched, tablet):
    first, other = a_pair(tablet, 40)
    client = a_viewer("giamsat")
    assert listed(client, first, other)
    feeds = rows(watched.office, "SELECT * FROM scope_head ORDER BY scope")
    answer = mark(client, first, other)
    assert answer.status_code == 303
    page = text_of(client.get(answer.headers["Location"]))
    assert "Đã ghi: không trùng." in page
    assert not listed(client, first, other)
    # Who and when, and the way back.
    kept = client.get("/duplicates?tab=distinct")
    assert listed(client, first, other, "distinct")
    assert "Đặng Văn Giám Sát" in text_of(kept)
    undoing = re.findall(rf'action="(/duplicates/{first}/[^"]+)"', kept.get_data(as_text=True))
    assert undoing == [f"/duplicates/{first}/{other}/distinction/undoing"]
    answer = post(client, undoing[0])
    assert (answer.status_code, marks(watched, first)) == (303, [])
    assert "Đã bỏ quyết định." in text_of(client.get(answer.headers["Location"]))
    assert listed(client, first, other)
    assert not listed(client, first, other, "distinct")
    assert audited(watched, first)[-2:] == ["records_distinct", "records_distinct_undone"]
    # No tablet hears of it.
    assert rows(watched.office, "SELECT * FROM scope_head ORDER BY scope") == feeds
    assert problems_of(watched.office) == []


def test_a_pair_is_marked_once_whichever_way_round_and_the_first_decision_stands(a_viewer, watched, tablet):
    first, other = a_pair(tablet, 41)
    assert mark(a_viewer("giamsat"), other, first).status_code == 303
    [kept] = marks(watched, first)
    watched.office.clock.advance(seconds=5)
    assert mark(a_viewer(), first, other).status_code == 303
    assert marks(watched, first) == [kept]
    assert unmark(a_viewer(), other, first).status_code == 303
    assert unmark(a_viewer(), first, other).status_code == 404


def test_all_that_a_pair_shares_leaves_the_list_at_once(a_viewer, tablet):
    """Two persons may share both numbers, and be noted both ways."""
    numbers = {"national_id": "999190000442", "insurance_number": "9990000042"}
    first, other = tablet.person(**numbers), tablet.person(**numbers)
    tablet.sync()
    client = a_viewer("giamsat")
    page = client.get("/duplicates").get_data(as_text=True)
    assert page.count(f'"/duplicates/{first}/{other}"') == 2
    mark(client, first, other)
    assert not listed(client, first, other)


def test_only_the_marked_pair_leaves_and_households_can_be_marked_too(a_viewer, tablet):
    one = tablet.household(phone="0900000043", head_name="Một", address="1 Lê Lai")
    two = tablet.household(phone="0900000043", head_name="Hai", address="2 Lê Lai")
    three = tablet.household(phone="0900000043", head_name="Ba", address="3 Lê Lai")
    tablet.sync()
    client = a_viewer("giamsat")
    assert "hai hộ khác nhau" in text_of(client.get(f"/duplicates/{one}/{two}"))
    assert mark(client, one, two).status_code == 303
    assert [listed(client, one, two), listed(client, one, three), listed(client, two, three)] == [
        False,
        True,
        True,
    ]


def test_a_marked_pair_is_merged_only_after_the_decision_is_undone(a_viewer, watched, tablet):
    first, other = a_pair(tablet, 44)
    client = a_viewer("giamsat")
    mark(client, first, other)
    page = client.get(f"/duplicates/{first}/{other}")
    assert 'name="keep"' not in page.get_data(as_text=True)
    assert "Đặng Văn Giám Sát quyết định" in text_of(page)
    refused = merge(client, first, other, keep=other)
    assert (refused.status_code, "marked_distinct" in text_of(refused)) == (409, True)
    assert word_of("refused_marked_distinct", "vi") in text_of(refused)
    assert merged_into(watched, "person", first) is None
    unmark(client, first, other)
    assert merge(client, first, other, keep=first).status_code == 303
    assert merged_into(watched, "person", other) == first


def test_what_is_merged_is_not_marked(a_viewer, watched, tablet):
    first, other = a_pair(tablet, 45)
    client = a_viewer("giamsat")
    merge(client, first, other, keep=first)
    assert "distinction" not in client.get(f"/duplicates/{first}/{other}").get_data(as_text=True)
    refused = mark(client, first, other)
    assert (refused.status_code, "are_merged" in text_of(refused)) == (409, True)
    assert marks(watched, first) == []


def test_a_mark_is_about_the_two_records_as_they_are_whatever_they_are_merged_into(a_viewer, tablet):
    """A merge of one of them into a third is possible; where it makes the two one, the list says so."""
    first, other = a_pair(tablet, 46)
    third = tablet.person(national_id="999190000246")
    tablet.sync()
    client = a_viewer("giamsat")
    mark(client, first, other)
    assert merge(client, first, third, keep=third).status_code == 303
    # The third one was marked with nobody.
    assert listed(client, other, third)
    assert "nay đã gộp làm một" not in text_of(client.get("/duplicates?tab=distinct"))
    assert merge(client, other, third, keep=third).status_code == 303
    assert "nay đã gộp làm một" in text_of(client.get("/duplicates?tab=distinct"))
    assert "qua hồ sơ khác" in text_of(client.get(f"/duplicates/{first}/{other}"))


def test_who_sees_one_of_the_two_neither_marks_nor_sees_nor_undoes(a_viewer, watched, tablet):
    an = a_tablet(watched.office, "an")
    near = tablet.person(national_id="999190000247")
    far = an.person(an.household(COMMUNES[0]), national_id="999190000247")
    tablet.sync()
    an.sync()
    first, other = sorted((near, far))
    local, office_wide = a_viewer("giamsat"), a_viewer()
    assert mark(local, first, other).status_code == 404
    assert marks(watched, first) == []
    assert mark(office_wide, first, other).status_code == 303
    assert listed(office_wide, first, other, "distinct")
    assert not listed(local, first, other, "distinct")
    assert unmark(local, first, other).status_code == 404
    assert len(marks(watched, first)) == 1
    assert "distinction_undoing_refused" in audited(watched, first)
    export = local.get("/exports/distinct.csv").get_data(as_text=True)
    assert export.count("\n") < office_wide.get("/exports/distinct.csv").get_data(as_text=True).count("\n")


@pytest.mark.parametrize("other", ["same", NOBODY, "household"])
def test_what_is_no_pair_is_not_marked(a_viewer, watched, tablet, other):
    person, household = tablet.person(), tablet.household()
    tablet.sync()
    second = {"same": person, "household": household}.get(other, other)
    assert mark(a_viewer(), person, second).status_code == 404
    assert marks(watched, min(person, second)) == []


def test_files_follow_both_lists(a_viewer, watched, tablet):
    numbers = {"national_id": "999190000248"}
    first = tablet.person(full_name="Trần Thị Mận", **numbers)
    other = tablet.person(full_name="Trần Thị Mơ", **numbers)
    tablet.sync()
    client = a_viewer("giamsat")

    def table(name):
        text = client.get(f"/exports/{name}.csv?lang=en").get_data().decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text)))

    assert any("Trần Thị Mận" in line for line in table("duplicates"))
    mark(client, first, other)
    assert not any("Trần Thị Mận" in line for line in table("duplicates"))
    header, *lines = table("distinct")
    assert header[-2:] == ["Decided by", "At"]
    [line] = [line for line in lines if "Trần Thị Mận" in line]
    assert (line[1], line[3], line[5]) == ("Person", "Trần Thị Mơ", "Đặng Văn Giám Sát")
    [(_, _, _, _, decided_ms)] = marks(watched, first)
    assert (decided_ms, re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", line[6]) is not None) == (
        watched.office.clock.now_ms(),
        True,
    )
    detail = "SELECT subject, detail FROM audit_row WHERE action = 'table_exported'"
    assert ("distinct", len(lines)) in {
        (subject, json.loads(detail)["rows"]) for subject, detail in rows(watched.office, detail)
    }


def test_the_pages_are_in_english_too(a_viewer, tablet):
    first, other = a_pair(tablet, 49)
    client = a_viewer("giamsat")
    assert "Are the two different persons?" in text_of(client.get(f"/duplicates/{first}/{other}?lang=en"))
    mark(client, first, other)
    assert "Decided: not duplicates" in text_of(client.get(f"/duplicates/{first}/{other}?lang=en"))
    assert "Decided by" in text_of(client.get("/duplicates?tab=distinct&lang=en"))
