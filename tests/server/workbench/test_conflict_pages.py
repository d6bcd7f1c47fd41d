"""Supervisors see both values of a field in dispute and settle it, on pages and through the API."""

from __future__ import annotations

import html
import re

import pytest

from tests.support.office_checks import count, problems_of, rows
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import COMMUNES
from tests.support.staff import form_token


def text_of(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return re.sub(r"\s+", " ", html.unescape(text)).replace("\u00a0", " ")


@pytest.fixture
def tablets(watched):
    return a_tablet(watched.office, "an"), a_tablet(watched.office, "binh")


def dispute(watched, tablets, area=COMMUNES[1], kind="household", **values):
    """Let two tablets set fields without having seen each other; return the record and both entries."""
    an, binh = tablets
    record = an.household(area) if kind == "household" else an.person(an.household(area))
    an.sync()
    entries = []
    for tablet, place in ((an, 0), (binh, 1)):
        watched.office.clock.advance(seconds=60)
        fields = {name: pair[place] for name, pair in values.items()}
        entries.append(tablet.append(f"{kind}_amended", {kind: record, "base": record, "set": fields}))
        tablet.sync()
    return record, *entries


def resolve(client, record, **fields):
    page = client.get(f"/conflicts/{record}").get_data(as_text=True)
    base = re.search(r'name="base" value="([^"]+)"', page)
    token = form_token(client, "/devices")
    given = {"csrf_token": token, "base": base.group(1) if base else ""}
    return client.post(f"/conflicts/{record}", data=given | fields)


def test_both_values_are_shown_with_authors_times_and_which_stands(a_viewer, watched, tablets):
    """[M4] Both values' entries are kept as an open conflict, for a supervisor to see."""
    record, _, _ = dispute(watched, tablets, head_name=("Lê Văn Một", "Lê Văn Hai"))
    client = a_viewer("giamsat")
    assert record in client.get("/conflicts").get_data(as_text=True)
    before = rows(watched.office, "SELECT count(*) FROM audit_row WHERE action = 'disputed_values_opened'")
    page = text_of(client.get(f"/conflicts/{record}"))
    assert "Lê Văn Hai đang có hiệu lực Trần Văn Bình" in page
    assert "Lê Văn Một Nguyễn Thị An" in page
    after = rows(watched.office, "SELECT count(*) FROM audit_row WHERE action = 'disputed_values_opened'")
    assert after[0][0] == before[0][0] + 1


def test_numbers_in_dispute_are_masked_and_chosen_all_the_same(a_viewer, watched, tablets):
    record, first, _ = dispute(
        watched,
        tablets,
        kind="person",
        national_id=("999190000071", "999190000072"),
        birth_date=("1970-02-28", None),
    )
    client = a_viewer()
    page = client.get(f"/conflicts/{record}").get_data(as_text=True)
    assert "999190000071" not in page
    assert "••••••••0071" in page
    assert "để trống" in page
    fields = {"pick-national_id": first, "pick-birth_date": "other", "value-birth_date": "3/2/1971"}
    assert resolve(client, record, **fields).status_code == 303
    found = rows(watched.office, "SELECT birth_date, sex FROM person WHERE id = :id", id=record)
    assert str(found[0][0]) == "1971-02-03"
    chosen = text_of(client.get(f"/conflicts/{record}"))
    assert "không còn ô nào trùng" in chosen
    wire = rows(watched.office, "SELECT wire_json FROM record WHERE record_id = :id", id=record)[0][0]
    assert "••••••••0071" in wire
    assert problems_of(watched.office) == []


def test_what_is_left_for_later_stays_in_dispute(a_viewer, watched, tablets):
    record, first, _ = dispute(watched, tablets, head_name=("Một", "Hai"), members=(3, 4))
    client = a_viewer()
    assert resolve(client, record, **{"pick-head_name": first, "pick-members": ""}).status_code == 303
    page = text_of(client.get(f"/conflicts/{record}"))
    assert "Số người" in page
    assert "Chủ hộ" not in page
    assert rows(watched.office, "SELECT head_name, members FROM household WHERE id = :id", id=record) == [
        ("Một", 4)
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Thiếu một ô bắt buộc"),
        ({"pick-members": "other", "value-members": "rất nhiều"}, "Một ô có kiểu không đúng"),
        ({"pick-members": "other", "value-members": "1000"}, "Một ô có giá trị không hợp lệ"),
        ({"pick-members": "018f0000-0000-7000-8000-000000000000"}, "Một ô có giá trị không hợp lệ"),
        ({"pick-address": "other", "value-address": "x"}, "Một ô có giá trị không hợp lệ"),
        ({"pick-members": "other", "value-members": "5", "base": "x"}, "Một ô có giá trị không hợp lệ"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused_and_changes_nothing(
    a_viewer, watched, tablets, fields, said
):
    record, _, _ = dispute(watched, tablets, members=(3, 4))
    entries = count(watched.office, "entry")
    answer = resolve(a_viewer(), record, **fields)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert count(watched.office, "entry") == entries


def test_the_navigation_counts_what_waits(a_viewer, watched, tablets):
    client = a_viewer("giamsat")

    def waiting():
        found = re.search(r'Sửa trùng <span class="badge">(\d+)', client.get("/board").get_data(as_text=True))
        return int(found.group(1)) if found else 0

    before = waiting()
    dispute(watched, tablets, members=(3, 4))
    dispute(watched, tablets, COMMUNES[0], members=(3, 4))
    assert waiting() == before + 1, "the other commune is another supervisor's"


def test_what_lies_outside_the_own_areas_is_not_there(a_viewer, watched, tablets):
    record, first, _ = dispute(watched, tablets, COMMUNES[0], members=(3, 4))
    client = a_viewer("giamsat")
    assert record not in client.get("/conflicts").get_data(as_text=True)
    assert client.get(f"/conflicts/{record}").status_code == 404
    assert resolve(client, record, **{"pick-members": first}).status_code == 404
    assert client.get(f"/api/v1/conflicts/{record}").status_code == 404


def test_the_api_lists_shows_and_settles(a_viewer, watched, tablets):
    record, first, second = dispute(watched, tablets, members=(3, 4), head_name=("Một", "Hai"))
    client = a_viewer("giamsat")
    listed = client.get("/api/v1/conflicts").get_json()["conflicts"]
    assert [line["fields"] for line in listed if line["record"] == record] == [["head_name", "members"]]
    shown = client.get(f"/api/v1/conflicts/{record}").get_json()
    claims = {
        dispute["field"]: [(claim["entry"], claim["value"], claim["stands"]) for claim in dispute["claims"]]
        for dispute in shown["disputes"]
    }
    assert claims["members"] == [(second, "4", True), (first, "3", False)]
    headers = {"X-CSRFToken": form_token(client, "/devices")}
    body = {"base": shown["base"], "choose": {"members": first}, "set": {"head_name": "Ba"}}
    answer = client.post(f"/api/v1/conflicts/{record}", json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["disputes"]) == (200, [])
    assert rows(watched.office, "SELECT head_name, members FROM household WHERE id = :id", id=record) == [
        ("Ba", 3)
    ]
    again = client.post(f"/api/v1/conflicts/{record}", json=body, headers=headers)
    assert (again.status_code, again.get_json()["detail"]) == (422, "field_invalid")
    assert client.post(f"/api/v1/conflicts/{record}", json=body).get_json()["code"] == "csrf_invalid"
