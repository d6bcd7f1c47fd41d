"""A supervisor settles quarantined entries on pages: corrects them, or sends them back."""

from __future__ import annotations

import html
import json
import re

import pytest

from tests.support.office_checks import count, outcome_of, problems_of, rows
from tests.support.raw_tablet import a_household, a_tablet
from tests.support.small_office import COMMUNES
from tests.support.staff import form_token

NOWHERE = "99999@2004-01-01"


def text_of(response) -> str:
    """Return a page as a reader sees it."""
    text = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    return re.sub(r"\s+", " ", html.unescape(text)).replace("\u00a0", " ")


@pytest.fixture
def tablet(watched):
    return a_tablet(watched.office, "binh")


def a_bad_household(tablet, area=NOWHERE) -> str:
    """Deliver a household of an unknown area; return the address of its page."""
    tablet.append("household_registered", a_household(area))
    assert tablet.sync().decisions == ["quarantined"]
    return f"/quarantine/{tablet.installation}/{len(tablet.journal)}"


def last_id(tablet) -> str:
    return json.loads(tablet.journal[-1])["id"]


def send(client, address, **fields):
    """Fill in a form of the entry's page."""
    page = address.rpartition("/")[0]
    return client.post(address, data=fields | {"csrf_token": form_token(client, page)})


def test_the_form_is_filled_with_the_body_and_a_correction_takes_effect(a_viewer, watched, tablet):
    address, client = a_bad_household(tablet), a_viewer()
    page = client.get(address).get_data(as_text=True)
    assert "&#34;head_name&#34;: &#34;Lê Văn Tám&#34;" in page
    body = json.dumps(a_household(COMMUNES[1]), ensure_ascii=False, indent=2)
    answer = send(client, f"{address}/correction", body=body)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{address}?done=corrected")
    assert outcome_of(watched.office, last_id(tablet)) == ("applied", None)
    after = text_of(client.get(answer.headers["Location"]))
    assert "Đã sửa và xét lại." in after
    assert "Nội dung văn phòng đã sửa" in after
    assert f'"area":"{NOWHERE}"' in after.replace(" ", ""), "the agent's own text is kept"
    assert problems_of(watched.office) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (json.dumps(a_household("99998@2004-01-01")), "Văn phòng không có địa bàn này body.area"),
        ("{", "Không đọc được mục này body"),
        ("[]", "Không đọc được mục này body"),
        ('{"head_name": "\\ud800"}', "Một ô có giá trị không hợp lệ body"),
        (json.dumps({"head_name": "x" * 20_000}), "Mục này quá lớn"),
        ("", "Không đọc được mục này body"),
    ],
)
def test_a_wrong_correction_says_what_is_wrong_and_keeps_what_was_typed(
    a_viewer, watched, tablet, typed, said
):
    """[D2] Refused with its code and field, and nothing is stored."""
    address, client = a_bad_household(tablet), a_viewer()
    before = count(watched.office, "entry")
    answer = send(client, f"{address}/correction", body=typed)
    assert answer.status_code == 422
    assert f"Chưa làm được: {said}" in text_of(answer)
    assert outcome_of(watched.office, last_id(tablet)) == ("quarantined", "area_unknown")
    assert count(watched.office, "entry") == before
    if len(typed) in range(3, 1000):
        assert html.escape(typed).replace("&quot;", "&#34;") in answer.get_data(as_text=True)


def test_an_entry_is_sent_back_and_leaves_the_list_of_those_to_look_at(a_viewer, tablet):
    address, client = a_bad_household(tablet), a_viewer()
    answer = send(client, f"{address}/return", reason="Ghi nhầm địa bàn, hãy ghi lại")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{address}?done=returned")
    assert address not in client.get("/quarantine?agent=").get_data(as_text=True)
    returned = client.get("/quarantine?tab=returned")
    assert address in returned.get_data(as_text=True)
    assert "Ghi nhầm địa bàn, hãy ghi lại" in text_of(returned)
    tablet.append("return_answered", {"target": last_id(tablet), "reply": "withdrawn"})
    tablet.sync()
    assert address not in client.get("/quarantine?tab=returned").get_data(as_text=True)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301, "a\x00b"])
def test_a_return_needs_a_reason_of_a_fitting_length(a_viewer, watched, tablet, reason):
    address, client = a_bad_household(tablet), a_viewer()
    assert send(client, f"{address}/return", reason=reason).status_code == 422
    assert rows(watched.office, "SELECT reason FROM outcome WHERE entry_id = :id", id=last_id(tablet)) == [
        (None,)
    ]


def test_an_entry_without_a_readable_id_can_only_be_sent_back(a_viewer, watched, tablet):
    tablet.journal.append("{")
    tablet.sync()
    address, client = f"/quarantine/{tablet.installation}/{len(tablet.journal)}", a_viewer()
    page = client.get(address).get_data(as_text=True)
    assert 'name="body"' not in page
    assert 'name="reason"' in page
    assert send(client, f"{address}/correction", body="{}").status_code == 422
    assert send(client, f"{address}/return", reason="Ghi lại").status_code == 303


def test_what_is_in_effect_has_no_forms_and_is_not_settled_again(a_viewer, tablet):
    address, client = a_bad_household(tablet), a_viewer()
    body = json.dumps(a_household(COMMUNES[1]))
    assert send(client, f"{address}/correction", body=body).status_code == 303
    assert 'name="reason"' not in client.get(address).get_data(as_text=True)
    token = form_token(client, "/devices")
    again = client.post(f"{address}/correction", data={"body": body, "csrf_token": token})
    assert again.status_code == 422
    assert "Mục này không còn bị giữ lại" in text_of(again)


def test_the_list_is_filtered_by_code_agent_and_age(a_viewer, watched, tablet):
    address, client = a_bad_household(tablet), a_viewer()
    binh, an = watched.office.agents["binh"], watched.office.agents["an"]
    shown = {
        query: address in client.get(f"/quarantine?{query}").get_data(as_text=True)
        for query in (
            "code=area_unknown",
            "code=kind_unknown",
            f"agent={binh}",
            f"agent={an}",
            "older=1",
            "older=x&code=y&agent=z&page=0",
        )
    }
    assert shown == {
        "code=area_unknown": True,
        "code=kind_unknown": False,
        f"agent={binh}": True,
        f"agent={an}": False,
        "older=1": False,
        "older=x&code=y&agent=z&page=0": True,
    }


def test_what_lies_outside_the_own_areas_is_neither_seen_nor_settled(a_viewer, watched):
    an = a_tablet(watched.office, "an")
    address, client = a_bad_household(an), a_viewer("giamsat")
    token = form_token(client, "/devices")
    for path, fields in (("correction", {"body": "{}"}), ("return", {"reason": "x"})):
        answer = client.post(f"{address}/{path}", data=fields | {"csrf_token": token})
        assert answer.status_code == 404
    assert outcome_of(watched.office, last_id(an)) == ("quarantined", "area_unknown")
