"""Every released wire version still gives its golden result; its vectors are frozen (`[V1]`)."""

from __future__ import annotations

import hashlib
import json

import pytest

from schemas.earlier import EARLIER_BODIES
from schemas.exchange import PROTOCOL, SERVED_PROTOCOLS
from schemas.vectors.bodies import NEW_IN_2
from schemas.vectors.core_cases import corrected_of, envelope_read, merged_of, placement_of
from schemas.vectors.exchange_cases import exchange_fault
from schemas.vectors.make_vectors import FOLDER, loaded_body
from schemas.vectors.signed_cases import is_request_valid, statement_read, token_read
from sync.journal import chain, entry_sha256

# SHA-256 over the files of a released version: they are never written again.
FROZEN = {1: "5dc23b323999383ca661b739e827b2df3c67988d624fb1e25ab8b8bbf5ff492f"}


def files_of(protocol):
    """Return the vectors of a released version by file."""
    return {
        path.stem: json.loads(path.read_text("ascii")) for path in (FOLDER / f"v{protocol}").glob("*.json")
    }


V1 = files_of(1)
# What a response of version 1 was is for its readers; the server answers with today's.
V1_REQUESTS = [case for case in V1["exchanges"]["cases"] if case["exchange"] != "sync_response"]


def each(cases):
    """Run a test for each case, under the case's own name."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.get("name") or "?")


def agrees(case, found) -> None:
    """Check everything that was found against the case."""
    assert {name: case[name] for name in found} == found


def test_every_released_version_has_frozen_vectors():
    """[V1] A served version keeps giving the same results for its golden vectors."""
    assert set(FROZEN) == {protocol for protocol in SERVED_PROTOCOLS if protocol < PROTOCOL}
    for protocol, sha256 in FROZEN.items():
        digest = hashlib.sha256()
        for path in sorted((FOLDER / f"v{protocol}").glob("*.json")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        assert digest.hexdigest() == sha256


@each(V1["bodies"]["cases"])
def test_a_body_of_version_1_loads_to_what_it_meant(case):
    """[V3] A body of an earlier release is lifted to today's shape, and refused with its own codes."""
    earlier = EARLIER_BODIES.get(case["kind"])
    expected = dict(case)
    if earlier is not None and case["loaded"] is not None:
        month = case["loaded"]["from_day"][:7]
        expected["loaded"] = {name: value for name, value in case["loaded"].items() if name != "from_day"}
        expected["loaded"] |= {**dict.fromkeys(NEW_IN_2), "from_month": month}
    agrees(expected, loaded_body(case))


@each(V1["entries"]["cases"])
def test_an_envelope_of_version_1_reads_the_same(case):
    agrees(case, envelope_read(case["text"]))


@each(V1["push"]["cases"])
def test_a_push_of_version_1_is_placed_the_same(case):
    assert placement_of(case) == case["placement"]


@each(V1["clock"]["cases"])
def test_a_time_of_version_1_is_corrected_the_same(case):
    agrees(case, corrected_of(case))


@each(V1["merge"]["cases"])
def test_an_edit_of_version_1_merges_the_same(case):
    agrees(case, merged_of(case))


@each(V1_REQUESTS)
def test_an_exchange_of_version_1_is_read_the_same(case):
    name = "sync_request_v1" if case["exchange"] == "sync_request" else case["exchange"]
    agrees(case, exchange_fault({**case, "exchange": name}))


def test_signatures_of_version_1_still_hold():
    signed = V1["signatures"]
    for case in signed["requests"]:
        assert is_request_valid(case) == case["is_valid"], case["name"]
    for case in signed["statements"]:
        assert statement_read(case) == case["content"], case["name"]


def test_receipts_of_version_1_read_the_same():
    receipts = V1["receipts"]
    for case in [*receipts["receipts"], *receipts["others"]]:
        assert token_read(case["token"], receipts["public_key"]) == case["reads"]


def test_the_chain_of_version_1_still_verifies():
    journal = V1["journal"]
    digests = chain(journal["genesis"], [entry_sha256(text) for text in journal["entries"]])
    assert digests == journal["digests"]
