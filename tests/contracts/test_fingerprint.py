"""No change of the contract goes unseen: its fingerprint is pinned beside the history of versions."""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass
from datetime import date

import pytest
from marshmallow import Schema, fields, validate

import schemas.catalogue
import schemas.exchange
import schemas.fund_kinds
import schemas.kinds
import schemas.receipt_view
from schemas.base import RequestSchema, ResponseSchema, amount_vnd, choice, integer, list_of, optional, text
from schemas.exchange import PROTOCOL
from schemas.fingerprint import EXCHANGES, contract, described_schema, fingerprint
from schemas.kinds import PaymentCollected
from sync.codes import EntryCode
from tests.architecture.sources import ROOT


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the protocol; `fingerprint` is of its latest state."""

    protocol: int
    since: date
    fingerprint: str
    what: str


# The latest last. Until a version is served to a tablet of an office its line may be replaced;
# afterwards a change gets a line of its own, and the lines before it stay as they are.
VERSION_HISTORY = (
    Version(
        1,
        date(2026, 11, 23),
        "daba2f0a426638301b54fecf41c52a95a66ed255dd9b1d654af0edac33522496",
        "the first: push, pull, enrolment, ten kinds, receipt token of schema version 1",
    ),
    Version(
        2,
        date(2026, 11, 23),
        "1e013619d0fd7f8c71a7e2eb98e587f6912a88c0de9cea9e619215625792b649",
        "differing scopes, recovering offices, holes, months, answers, the desk, rates, consents, funds",
    ),
)

WHAT_TO_DO = """
The contract between tablets and the server has changed: its fingerprint is now
    {found}
Was that meant? If not, undo it. If so, in the same commit:
 1. a change that an old tablet or server would not understand raises PROTOCOL (schemas/exchange.py);
 2. write what changed into docs/protocol.md and into the table of its section «Versions»;
 3. put the new fingerprint into VERSION_HISTORY above;
 4. run `python -m schemas.vectors.make_vectors` and look at every vector that changed: a version
    that is served must keep giving the same results.
"""


def test_the_contract_is_that_of_the_latest_version():
    found = fingerprint(contract())
    latest = VERSION_HISTORY[-1]
    assert (latest.protocol, latest.fingerprint) == (PROTOCOL, found), WHAT_TO_DO.format(found=found)


def test_the_history_is_in_order_and_told_in_the_protocol():
    versions = [(version.protocol, version.since) for version in VERSION_HISTORY]
    assert versions == sorted(versions)
    assert len({version.fingerprint for version in VERSION_HISTORY}) == len(VERSION_HISTORY)
    section = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8").partition("\n## Versions\n")[2]
    assert "tests/contracts/test_fingerprint.py" in section
    for version in VERSION_HISTORY:
        assert f"\n| {version.protocol} | " in section


def test_the_fingerprint_does_not_depend_on_the_order_of_members():
    def reversed_members(node):
        if isinstance(node, dict):
            return {name: reversed_members(node[name]) for name in reversed(node)}
        return [reversed_members(child) for child in node] if isinstance(node, list) else node

    described = contract()
    assert fingerprint(reversed_members(described)) == fingerprint(described)


def test_every_schema_of_the_contract_is_part_of_it():
    """A schema that is reached from no exchange and no kind would change unseen."""
    reached: set[type[Schema]] = set()

    def reach(schema: Schema) -> None:
        reached.update(owner for owner in type(schema).__mro__ if issubclass(owner, Schema))
        for field in schema.fields.values():
            inner = field.inner if isinstance(field, fields.List) else field
            if isinstance(inner, fields.Nested):
                reach(inner.schema)

    for exchange in EXCHANGES.values():
        reach(exchange())
    for kind in schemas.catalogue.KINDS.values():
        reach(kind.schema)
    declared = {
        member
        for module in (schemas.exchange, schemas.fund_kinds, schemas.kinds, schemas.receipt_view)
        for member in vars(module).values()
        if inspect.isclass(member) and issubclass(member, Schema)
    }
    assert declared - reached == set()


def paths_of(node, path=()):
    """Yield the path of every value in a described contract."""
    if isinstance(node, dict | list):
        children = node.items() if isinstance(node, dict) else enumerate(node)
        for name, child in children:
            yield from paths_of(child, (*path, name))
    else:
        yield path


def test_every_single_value_counts():
    """Changing any limit, code, pattern or member gives another fingerprint."""
    described = contract()
    before = fingerprint(described)
    paths = list(paths_of(described))
    assert len(paths) > 1000
    for path in paths[:: max(1, len(paths) // 200)]:
        changed = copy.deepcopy(described)
        node = changed
        for name in path[:-1]:
            node = node[name]
        node[path[-1]] = "changed"
        assert fingerprint(changed) != before, path


def described(**members):
    return described_schema(RequestSchema.from_dict(members)())


CHANGES = {
    "a length": ({"a": text(most=10)}, {"a": text(most=11)}),
    "a least length": ({"a": text()}, {"a": text(least=0)}),
    "a bound": ({"a": integer(1, 2)}, {"a": integer(1, 3)}),
    "a word": ({"a": choice(("x",))}, {"a": choice(("x", "y"))}),
    "a code": ({"a": integer(1, 2)}, {"a": integer(1, 2, code=EntryCode.AMOUNT_INVALID)}),
    "a type": ({"a": integer(1, 1_000_000_000)}, {"a": amount_vnd()}),
    "a name": ({"a": text()}, {"b": text()}),
    "one more": ({"a": text()}, {"a": text(), "b": optional(text())}),
    "optional": ({"a": text()}, {"a": optional(text())}),
    "may be null": ({"a": text(required=False)}, {"a": text(required=False, allow_none=True)}),
    "a list's length": ({"a": list_of(text(), most=5)}, {"a": list_of(text(), most=6)}),
    "what is in a list": ({"a": list_of(text(most=5))}, {"a": list_of(text(most=6))}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_field_is_seen(name):
    before, after = CHANGES[name]
    assert fingerprint(described(**before)) != fingerprint(described(**after))


def test_what_happens_to_unknown_members_and_rules_over_several_are_seen():
    refusing, ignoring = (base.from_dict({"a": text()})() for base in (RequestSchema, ResponseSchema))
    assert fingerprint(described_schema(refusing)) != fingerprint(described_schema(ignoring))
    assert described_schema(schemas.kinds.PersonRegistered())["rules"] == ["has_a_place"]
    assert described_schema(PaymentCollected())["rules"] == []


@pytest.mark.parametrize(
    "field", [fields.Decimal(), fields.String(validate=validate.Email()), fields.String(validate=len)]
)
def test_what_cannot_be_described_is_refused(field):
    with pytest.raises(TypeError, match="does not know"):
        described(a=field)


def test_codes_limits_and_the_tokens_version_are_in_it():
    """[R9.1] [X3] A limit that shrinks or a code that is renamed moves the fingerprint."""
    found = contract()
    assert "journal_gap" in found["codes"]["RequestCode"]
    assert found["limits"]["entry_bytes"] == 16 * 1024
    assert found["receipt_token"]["schema_version"] == 1
    assert found["protocol"] == PROTOCOL
