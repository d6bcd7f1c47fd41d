"""Every rule of docs/protocol.md is quoted by a test that proves it, and no test quotes another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from tests.architecture.sources import ROOT, Source, python_sources, source_from

# What the protocol itself leaves to a later version, or no test can show: id, and why.
LATER: dict[str, str] = {}

_ID = r"[A-Z][0-9]+(?:\.[0-9]+)?"
_RULE = re.compile(rf"^- `\[({_ID})\]`", re.MULTILINE)
_QUOTED = re.compile(rf"\[({_ID})\]")
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def rules() -> list[str]:
    """Return the id of every list item of the protocol, in its order."""
    return _RULE.findall((ROOT / "docs" / "protocol.md").read_text(encoding="utf-8"))


def quoted(sources: Iterable[Source], *, by_tests_alone: bool) -> set[str]:
    """Return the ids in the docstrings of test functions, or of everything."""
    found: set[str] = set()
    for source in sources:
        for node in ast.walk(source.tree):
            if not isinstance(node, _DOCUMENTED):
                continue
            is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            if is_test or not by_tests_alone:
                found.update(_QUOTED.findall(ast.get_docstring(node) or ""))
    return found


def unproven(ids: Iterable[str], sources: Iterable[Source]) -> set[str]:
    """Return the rules that no test quotes and that are not for later."""
    return set(ids) - quoted(sources, by_tests_alone=True) - LATER.keys()


def test_every_rule_is_quoted_by_a_test():
    assert sorted(unproven(rules(), python_sources("tests"))) == []


def test_no_test_quotes_a_rule_that_the_protocol_does_not_have():
    assert quoted(python_sources("tests"), by_tests_alone=False) - set(rules()) == set()


def test_what_is_for_later_is_a_rule_and_is_not_proven():
    assert LATER.keys() <= set(rules())
    assert LATER.keys() & quoted(python_sources("tests"), by_tests_alone=True) == set()
    assert all(LATER.values())


def test_the_protocol_is_read_whole_and_numbers_each_rule_once():
    found = rules()
    assert len(found) > 100
    assert len(found) == len(set(found))


def test_a_rule_without_a_test_is_found():
    planted = 'def test_it():\n    """[{}1] It holds."""\n\ndef helper():\n    """[{}2] It is no test."""\n'
    source = source_from("tests/planted.py", planted.format("W", "W"))
    assert unproven(["W1", "W2"], [source]) == {"W2"}
