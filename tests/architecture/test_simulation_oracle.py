"""The oracle of the simulation judges production code, so it must not lean on any of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.sources import Source, python_sources, source_from

_PRODUCTION = {"server", "sync", "schemas", "field_client"}
_ORACLE = "tests/simulation/oracle/"


def oracle_faults(source: Source) -> Iterator[str]:
    """Imports by which the oracle would agree with what it judges; also those made late or by name."""
    for node in ast.walk(source.tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {
            "import_module",
            "__import__",
        }:
            yield f"{source.name}:{node.lineno} imports by name"
        for name in names:
            top = name.partition(".")[0]
            is_own = name.startswith("tests.simulation.oracle")
            if top in _PRODUCTION or (top == "tests" and not is_own):
                yield f"{source.name}:{node.lineno} imports {name}"


def test_the_oracle_imports_nothing_of_what_it_judges():
    sources = [source for source in python_sources("tests") if source.name.startswith(_ORACLE)]
    assert len(sources) > 5
    assert [fault for source in sources for fault in oracle_faults(source)] == []


def test_a_planted_import_is_found():
    planted = "from sync.journal import chain\nimport server.app\nfrom tests.simulation.world import World\n"
    planted += "import importlib\nimportlib.import_module('schemas')\n"
    found = list(oracle_faults(source_from(f"{_ORACLE}planted.py", planted)))
    assert [fault.partition(" ")[2] for fault in found] == [
        "imports sync.journal",
        "imports server.app",
        "imports tests.simulation.world",
        "imports by name",
    ]
