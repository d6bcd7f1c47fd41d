"""The pages' JSON twins: same scope, same figures."""

from __future__ import annotations

import pytest

from server.dashboard.schemas import BoardShown, EnrolmentCodeShown, EntriesShown
from tests.support.small_office import LAUNCH_DAY
from tests.support.staff import form_token

BOARD = f"/api/v1/board?campaign={LAUNCH_DAY}&indicator=voluntary_enrolled"


def test_the_board_as_json_has_the_pages_figures(a_viewer):
    shown = a_viewer().get(BOARD).get_json()
    assert BoardShown().validate(shown) == {}
    by_name = {line["name"]: line for line in shown["lines"]}
    assert by_name["Nguyễn Thị An"]["done"] == 6
    assert by_name["Nguyễn Thị An"]["percent"] == "50.00"
    assert [plan["quota"] for plan in by_name["Nguyễn Thị An"]["plans"]] == [10, 12]
    assert shown["done"] == sum(line["done"] for line in shown["lines"])
    assert shown["completeness"]["outstanding"] == 1


def test_the_board_as_json_is_scoped_to_the_viewers_areas(a_viewer):
    names = {line["name"] for line in a_viewer("giamsat").get(BOARD).get_json()["lines"]}
    assert names == {"Trần Văn Bình"}


def test_entries_come_with_verdict_and_outcome_in_pages(a_viewer, watched):
    address = f"/api/v1/agents/{watched.office.agents['an']}/entries"
    first = a_viewer().get(address).get_json()
    second = a_viewer().get(f"{address}?page=2").get_json()
    assert EntriesShown().validate(first) == {}
    assert (first["has_more"], second["page"]) == (True, 2)
    assert not {entry["id"] for entry in first["entries"]} & {entry["id"] for entry in second["entries"]}
    assert a_viewer("giamsat").get(address).status_code == 404


def test_the_quarantine_as_json_names_code_and_field(a_viewer):
    shown = a_viewer().get("/api/v1/quarantine").get_json()
    assert EntriesShown().validate(shown) == {}
    assert [(entry["code"], entry["field"]) for entry in shown["entries"]] == [("area_unknown", "area")]
    assert a_viewer("giamsat").get("/api/v1/quarantine").get_json()["entries"] == []


def test_a_code_is_made_with_the_forms_token_in_a_header(a_viewer, watched):
    client = a_viewer()
    body = {"worker": watched.office.agents["hanh"]}
    assert client.post("/api/v1/enrolment-codes", json=body).get_json()["code"] == "csrf_invalid"
    headers = {"X-CSRFToken": form_token(client, "/devices")}
    answer = client.post("/api/v1/enrolment-codes", json=body, headers=headers)
    assert answer.status_code == 201
    assert EnrolmentCodeShown().validate(answer.get_json()) == {}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/board?campaign=999", 404, "not_found"),
        ("/api/v1/board?campaign=x", 422, "body_invalid"),
        ("/api/v1/board?page=0", 422, "body_invalid"),
        ("/api/v1/board?sort=x", 422, "body_invalid"),
        ("/api/v1/agents/00000000-0000-7000-8000-000000000000/entries", 200, None),
        ("/api/v1/agents/nobody/entries", 404, "not_found"),
    ],
)
def test_what_makes_no_sense_is_refused_as_problem_details(a_viewer, path, status, code):
    answer = a_viewer().get(path)
    assert (answer.status_code, answer.get_json().get("code")) == (status, code)


@pytest.mark.parametrize("path", ["/api/v1/board", "/api/v1/quarantine"])
def test_who_is_not_logged_in_gets_problem_details(watched, path):
    answer = watched.office.app.test_client().get(path)
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
