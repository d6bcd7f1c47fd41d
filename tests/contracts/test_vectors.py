"""A served version keeps giving the same results for its golden vectors (`[V1]`)."""

from __future__ import annotations

import json

import pytest

from schemas.catalogue import KINDS
from schemas.fingerprint import EXCHANGES
from schemas.names import initials, masked, search_key
from schemas.receipt_token import ReceiptFault, parse_receipt, payment_digest, receipt_link
from schemas.signatures import from_base64url, request_message
from schemas.vectors.core_cases import corrected_of, envelope_read, merged_of, placement_of
from schemas.vectors.exchange_cases import exchange_fault
from schemas.vectors.make_vectors import FOLDER, file_text, loaded_body, vectors
from schemas.vectors.signed_cases import is_request_valid, statement_read, token_read
from sync.codes import EntryCode
from sync.feed import EMPTY_SUM, row_hash, sum_changed
from sync.journal import chain, entry_sha256, genesis_digest

FILES = {path.stem: json.loads(path.read_text(encoding="ascii")) for path in sorted(FOLDER.glob("*.json"))}


def each(cases):
    """Run a test for each case, under the case's own name."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.get("name") or "?")


def agrees(case, found) -> None:
    """Check everything that was found against the case."""
    assert {name: case[name] for name in found} == found


def test_the_files_are_what_the_generator_writes():
    """A difference is a change of the contract: see docs/protocol.md, «Versions».

    [V1] A served version keeps giving the same results for its golden vectors.
    """
    fresh = vectors()
    assert set(FILES) == set(fresh)
    for name, content in fresh.items():
        text = (FOLDER / f"{name}.json").read_text(encoding="ascii")
        assert text == file_text(content), f"schemas/vectors/{name}.json is not what make_vectors writes"


@each(FILES["bodies"]["cases"])
def test_a_body_loads_to_the_same_or_fails_with_the_same_code(case):
    agrees(case, loaded_body(case))


def test_every_kind_has_sound_bodies_and_bad_ones():
    for kind in KINDS:
        outcomes = {case["code"] is None for case in FILES["bodies"]["cases"] if case["kind"] == kind}
        assert outcomes == {True, False}, kind


@each(FILES["entries"]["cases"])
def test_an_envelope_reads_the_same(case):
    agrees(case, envelope_read(case["text"]))


def test_the_journals_chain_is_the_same():
    journal = FILES["journal"]
    sha256s = [entry_sha256(text) for text in journal["entries"]]
    assert sha256s == journal["sha256s"]
    assert genesis_digest(journal["installation"]) == journal["genesis"]
    assert chain(journal["genesis"], sha256s) == journal["digests"]


@each(FILES["push"]["cases"])
def test_a_run_meets_the_journal_in_the_same_way(case):
    assert placement_of(case) == case["placement"]


@each(FILES["clock"]["cases"])
def test_the_marks_prove_the_same_time(case):
    agrees(case, corrected_of(case))


@each(FILES["merge"]["cases"])
def test_an_edit_conflicts_with_the_same_and_stands_in_the_same_fields(case):
    agrees(case, merged_of(case))


def test_rows_hash_and_sum_to_the_same():
    feed = FILES["feed"]
    for row in feed["rows"]:
        assert row_hash(row["type"], row["id"], row["version"], row["wire"]) == row["row_hash"]
    total = feed["empty"]
    for step in feed["steps"]:
        total = sum_changed(total, added=step["added"], removed=step["removed"])
        assert total == step["sum"]
    assert total == EMPTY_SUM


@each(FILES["names"]["cases"])
def test_a_name_is_searched_and_shown_the_same(case):
    if "number" in case:
        assert masked(case["number"]) == case["masked"]
    else:
        assert (search_key(case["name"]), initials(case["name"])) == (case["search_key"], case["initials"])


@each(FILES["signatures"]["requests"])
def test_a_requests_signature_is_judged_the_same(case):
    message = request_message(case["method"], case["path"], case["body"].encode())
    assert message.decode("ascii") == case["message"]
    assert is_request_valid(case) == case["is_valid"]


@each(FILES["signatures"]["statements"])
def test_a_statement_says_the_same(case):
    assert statement_read(case) == case["content"]


# The file of each chain of receipts, and the entry in it that they cover.
COVERED = {"receipts": "payment", "donations": "donation"}


@pytest.mark.parametrize(
    ("file", "position"), [(file, at) for file in COVERED for at in range(len(FILES[file]["receipts"]))]
)
def test_a_receipt_reads_the_same_and_fits_its_chain(file, position):
    vectors = FILES[file]
    receipt = vectors["receipts"][position]
    assert token_read(receipt["token"], vectors["public_key"]) == receipt["reads"]
    assert receipt["reads"]["is_signed"]
    content = parse_receipt(receipt["token"]).content
    before = parse_receipt(vectors["receipts"][position - 1]["token"]).sig_structure if position else None
    assert content.link == receipt_link(before, receipt["linked_ack"], vectors["certificate"])
    assert content.digest == payment_digest(from_base64url(receipt["salt"]), vectors[COVERED[file]])


def test_the_receipt_of_a_donation_names_its_fund_and_so_does_its_void():
    vectors = FILES["donations"]
    body = json.loads(vectors["donation"])["body"]
    given, void = (parse_receipt(receipt["token"]).content for receipt in vectors["receipts"])
    assert (given.kind, given.refers) == (3, None)
    assert (void.kind, void.refers) == (9, (given.installation, given.counter))
    for content in (given, void):
        assert (content.campaign, content.amount_vnd) == (body["fund"], body["amount_vnd"])


@each(FILES["receipts"]["others"])
def test_other_digits_are_refused_for_the_same_reason(case):
    found = token_read(case["token"], FILES["receipts"]["public_key"])
    assert found == case["reads"]
    assert not found.get("is_signed")


def test_every_reason_against_a_token_has_a_vector():
    found = {case["reads"]["reason"] for case in FILES["receipts"]["others"]}
    assert set(map(str, ReceiptFault)) - found == set()


@each(FILES["exchanges"]["cases"])
def test_an_exchange_is_accepted_or_refused_the_same(case):
    agrees(case, exchange_fault(case))


def test_every_exchange_has_a_sound_vector():
    sound = {case["exchange"] for case in FILES["exchanges"]["cases"] if case["code"] is None}
    assert sound == set(EXCHANGES)


def test_every_code_about_a_form_has_a_vector():
    """What an entry can be refused for without looking at the office."""
    found = {case["code"] for name in ("bodies", "entries") for case in FILES[name]["cases"]}
    first, last = EntryCode.ENTRY_UNREADABLE, EntryCode.AMOUNT_INVALID
    codes = list(EntryCode)
    formal = codes[codes.index(first) : codes.index(last) + 1]
    # These need the journal or the business day.
    elsewhere = {EntryCode.ENTRY_ID_REUSED, EntryCode.ENTRY_ALREADY_RECEIVED, EntryCode.BIRTH_DATE_IN_FUTURE}
    assert {str(code) for code in formal if code not in elsewhere} - found == set()


def test_no_number_in_the_vectors_can_be_a_persons():
    """National ids and insurance numbers start with a province code that does not exist."""
    for case in FILES["bodies"]["cases"]:
        body = {**case["body"], **(case["body"].get("set") or {})}
        for name in ("national_id", "insurance_number"):
            number = body.get(name)
            assert case["code"] or number is None or number.startswith("999")
