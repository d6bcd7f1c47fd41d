"""Text that is no Unicode is refused in the envelope, and quarantined inside an entry (rule 9)."""

from __future__ import annotations

import json

import pytest

from tests.support.raw_tablet import a_household

LONE_HALVES = ["\\ud800", "\\uDBFF", "\\udc00", "\\uDFFF", "\\udc00\\ud800"]


@pytest.mark.parametrize("half", LONE_HALVES)
def test_half_a_pair_in_the_envelope_is_refused_and_nothing_is_stored(office, tablet, half):
    tablet.household()
    body = json.dumps(tablet.request()).replace("Hùng", f"H{half}").replace("H\\u00f9ng", f"H{half}")
    answer = tablet.post(None, body=body.encode("ascii"))
    assert (answer.status, answer.code) == (400, "body_unreadable")
    assert tablet.sync().decisions == ["applied"]


@pytest.mark.parametrize("half", LONE_HALVES)
def test_half_a_pair_inside_an_entry_is_quarantined_alone(office, tablet, half):
    _, text = tablet.entry("household_registered", a_household(head_name="HALF"))
    tablet.journal.append(text.replace("HALF", half))
    tablet.household()
    assert tablet.sync().decisions == ["quarantined", "applied"]
