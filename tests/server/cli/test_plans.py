"""`tungnha plans`: a plan from a file, its tree on the screen, a number split."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from server.audit.changes import Actor, run_change
from server.cli import main
from server.quotas.actions import define_indicator
from server.quotas.plan_files import read_plan
from server.quotas.rules import Indicator
from tests.architecture.sources import ROOT
from tests.support.offices import office_environment, open_runtime

DAYS = {"from_day": "2020-01-01", "to_day": "2020-12-31"}
PLAN = {
    "campaign": 0,
    "kind": "initial",
    "decision_number": "411/QĐ-BHXH",
    "decision_day": "2020-04-24",
    "effective_from": "2020-05-01",
    "phases": [
        {"code": "h1", "kind": "year", "name": "Nửa đầu", "from_day": "2020-01-01", "to_day": "2020-06-30"},
        {"code": "h2", "kind": "year", "name": "Nửa sau", "from_day": "2020-07-01", "to_day": "2020-12-31"},
    ],
    "quotas": [
        {"indicator": "voluntary", "holder_kind": "office", "holder": "office", "amount": 100, **DAYS}
    ],
    "splits": [
        {
            "indicator": "voluntary",
            "parent": ["office", "office"],
            "holder_kind": "area",
            "weights": {"b": 2, "a": 1},
            "keep": 10,
        },
        {
            "indicator": "voluntary",
            "parent": ["area", "a"],
            "holder_kind": "agent",
            "weights": {"x": 1, "y": 1, "z": 2},
            "phase_weights": {"h1": 1, "h2": 2},
        },
    ],
    "minimums": [
        {
            "code": "m",
            "name_vi": "Tối thiểu",
            "name_en": "Minimum",
            "parts": {"voluntary": 1},
            "holders": [["agent", "x"]],
        }
    ],
}


@pytest.fixture
def office(tmp_path, monkeypatch):
    """An office with one indicator, in the environment."""
    url = f"sqlite:///{tmp_path / 'office.sqlite3'}"
    for name, value in office_environment(url).items():
        monkeypatch.setenv(name, value)
    assert run("migrate").exit_code == 0
    with open_runtime(url) as runtime:
        zone = runtime.config.time_zone
        indicator = Indicator("voluntary", "enrolment", scheme="voluntary")
        run_change(
            runtime.transactions,
            Actor("job:test"),
            0,
            lambda change: define_indicator(change, zone, indicator, "Tự nguyện", "Voluntary"),
        )
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def adopt(office, *options, **changes):
    path = office / "plan.json"
    path.write_text(json.dumps(PLAN | changes), encoding="utf-8")
    return run("plans", "adopt", str(path), *options)


def test_a_plan_in_a_file_is_split_adopted_and_shown(office):
    adopted = adopt(office)
    assert adopted.exit_code == 0, adopted.output
    assert "office office: 100 (reserve 10)" in adopted.output
    shown = run("plans", "show", "0")
    assert "initial 1, 411/QĐ-BHXH, from 2020-05-01: in_force" in shown.output
    assert "    area a: 30\n      agent x: 8\n      agent y: 7\n      agent z: 15\n" in shown.output
    told = json.loads(run("plans", "show", "0", "--json").output)
    assert [each["amount"] for each in told["quotas"] if each["holder"][0] == "area"] == [30, 60]
    assert told["quotas"][-1] == {
        "indicator": "voluntary",
        "holder": ["office", "office"],
        "parent": None,
        "amount": 100,
        "reserve": 10,
    }


def test_the_example_of_the_documentation_is_a_plan():
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    example = re.search(r"```json\n(.*?)```", text, re.DOTALL).group(1)
    plan = read_plan(example.encode())
    assert [quota.amount for quota in plan.quotas] == [18_000, 10_500, 7_000]


def test_a_dry_run_shows_the_tree_and_adopts_nothing(office):
    dry = adopt(office, "--dry-run")
    assert "reserve 10" in dry.output
    assert "Nothing was adopted." in dry.output
    assert json.loads(run("plans", "show", "0", "--json").output)["versions"] == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "final"}, "plan_kind_unknown"),
        ({"splits": [PLAN["splits"][0] | {"keep": 101}]}, "below zero"),
        ({"splits": [PLAN["splits"][1]]}, "has no quota to split"),
        ({"quotas": [PLAN["quotas"][0] | {"amount": "many"}]}, "$.quotas[0].amount"),
        ({"unheard": 1}, "unheard"),
        ({"effective_from": "1/5/2020"}, "effective_from"),
    ],
)
def test_a_plan_that_cannot_be_adopted_is_refused_with_the_place(office, changes, told):
    refused = adopt(office, **changes)
    assert refused.exit_code == 1
    assert told in refused.output


def test_an_over_assigned_plan_is_refused_in_both_languages(office):
    below = {"indicator": "voluntary", "holder_kind": "area", "holder": "c", "amount": 11, **DAYS}
    quotas = [*PLAN["quotas"], below | {"parent": ["office", "office"]}]
    refused = adopt(office, quotas=quotas)
    assert "over_assigned: voluntary office office 101 > 100" in refused.output
    assert "vượt chỉ tiêu của cấp trên" in refused.output
    assert adopt(office, quotas=quotas, may_over_assign=True).exit_code == 0


def test_a_number_is_split_and_nonsense_refused():
    assert json.loads(run("plans", "split", "8", "c=1", "a=1", "b=1").output) == {"a": 3, "b": 3, "c": 2}
    for weights in (["a"], ["a=-1"], ["a=1", "a=2"], ["a=0"], ["=1"]):
        assert run("plans", "split", "8", *weights).exit_code == 1
