"""Supervisors compare records that may be one, merge them, and take a merge apart."""

from __future__ import annotations

import html
import re

import pytest

from schemas.kinds import CONSENT_DECISIONS, CONSENT_PURPOSES
from tests.support.office_checks import problems_of, rows
from tests.support.raw_tablet import a_tablet
from tests.support.small_office import COMMUNES
from tests.support.staff import form_token


def text_of(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return re.sub(r"\s+", " ", html.unescape(text)).replace("\u00a0", " ")


@pytest.fixture
def tablet(watched):
    return a_tablet(watched.office, "binh")


def a_pair(tablet, digits, **more):
    """Register two persons with one number in Bình's commune; return their ids."""
    numbers = {"national_id": f"9991900002{digits:02}"}
    pair = tablet.person(**numbers, **more), tablet.person(full_name="Lê Thị Bưởi B", **numbers)
    tablet.sync()
    return pair


def merge(client, first, other, keep):
    address = f"/duplicates/{first}/{other}"
    return client.post(address, data={"keep": keep, "csrf_token": form_token(client, "/devices")})


def merged_into(watched, kind, record):
    return rows(watched.office, f"SELECT merged_into FROM {kind} WHERE id = :id", id=record)[0][0]


def test_a_pair_is_listed_compared_merged_and_taken_apart(a_viewer, watched, tablet):
    first, other = a_pair(tablet, 1, phone="0912345678")
    client = a_viewer("giamsat")
    address = f"/duplicates/{first}/{other}"
    assert address in client.get("/duplicates").get_data(as_text=True)
    page = client.get(address)
    assert "Họ tên khác Lê Thị Bưởi Lê Thị Bưởi B" in text_of(page)
    assert "0912345678" not in page.get_data(as_text=True)
    assert "••••••5678" in page.get_data(as_text=True)
    answer = merge(client, first, other, keep=first)
    assert answer.status_code == 303
    assert merged_into(watched, "person", other) == first
    assert address not in client.get("/duplicates").get_data(as_text=True)
    listed = client.get(answer.headers["Location"])
    assert "Đã gộp." in text_of(listed)
    undoing = re.findall(r'action="(/merges/[^"]+)"', listed.get_data(as_text=True))
    token = form_token(client, "/devices")
    assert client.post(undoing[0], data={"csrf_token": token}).status_code == 303
    assert merged_into(watched, "person", other) is None
    assert client.post(undoing[0], data={"csrf_token": token}).status_code == 404
    assert problems_of(watched.office) == []


def test_consents_are_compared_in_words(a_viewer, tablet):
    first, other = a_pair(tablet, 30)
    for purpose, decision in zip(CONSENT_PURPOSES, (*CONSENT_DECISIONS, *CONSENT_DECISIONS), strict=True):
        body = {"person": first, "purpose": purpose, "decision": decision, "evidence": "spoken", "note": None}
        tablet.append("consent_recorded", body)
    tablet.sync()
    page = text_of(a_viewer("giamsat").get(f"/duplicates/{first}/{other}"))
    shown = "Tặng thẻ: đồng ý; Ghi danh: đồng ý; Nhắc gia hạn: rút lại; Dữ liệu nhạy cảm: rút lại"
    assert f"Đồng ý khác {shown} để trống" in page


def test_households_that_share_a_phone_or_head_and_address_are_listed(a_viewer, tablet):
    one = tablet.household(phone="0900000001", head_name="Một", address="1 Lê Lợi")
    two = tablet.household(phone="0900000001", head_name="Hai", address="2 Lê Lợi")
    three = tablet.household(head_name="Một", address="1 Lê Lợi")
    tablet.sync()
    page = a_viewer("giamsat").get("/duplicates").get_data(as_text=True)
    assert f"/duplicates/{one}/{two}" in page
    assert f"/duplicates/{one}/{three}" in page
    assert f"/duplicates/{two}/{three}" not in page


def test_the_other_one_may_be_kept_and_a_circle_is_refused(a_viewer, watched, tablet):
    first, other = a_pair(tablet, 2)
    client = a_viewer()
    assert merge(client, first, other, keep=other).status_code == 303
    assert merged_into(watched, "person", first) == other
    again = merge(client, first, other, keep=first)
    assert again.status_code == 422
    assert "Hồ sơ giữ lại đã được gộp vào hồ sơ này" in text_of(again)


def test_records_in_two_communes_are_compared_and_not_merged(a_viewer, watched, tablet):
    an = a_tablet(watched.office, "an")
    near = tablet.person(national_id="999190000299")
    far = an.person(an.household(COMMUNES[0]), national_id="999190000299")
    tablet.sync()
    an.sync()
    client = a_viewer()
    first, other = sorted((near, far))
    assert f"/duplicates/{first}/{other}" in client.get("/duplicates").get_data(as_text=True)
    refused = merge(client, near, far, keep=near)
    assert (refused.status_code, "hai địa bàn khác nhau" in text_of(refused)) == (422, True)
    assert "/duplicates/" + first not in a_viewer("giamsat").get("/duplicates").get_data(as_text=True)
    assert a_viewer("giamsat").get(f"/duplicates/{near}/{far}").status_code == 404
    assert merge(a_viewer("giamsat"), near, far, keep=near).status_code == 404


@pytest.mark.parametrize("keep", ["", "x", "018f0000-0000-7000-8000-000000000000"])
def test_a_form_that_keeps_neither_is_not_taken(a_viewer, watched, tablet, keep):
    first, other = a_pair(tablet, 3 + len(keep) % 7)
    assert merge(a_viewer(), first, other, keep=keep).status_code == 404
    assert merged_into(watched, "person", other) is None


@pytest.mark.parametrize("path", ["{0}/{0}", "nobody/{0}", "{0}"])
def test_an_address_that_compares_nothing_is_not_there(a_viewer, path):
    nobody = "018f0000-0000-7000-8000-000000000000"
    assert a_viewer().get("/duplicates/" + path.format(nobody)).status_code == 404
