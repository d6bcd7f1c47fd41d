"""The second client shares no code with the project: only so does it prove that the document is enough."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import PACKAGES, Source, python_sources, source_from

_OWN = "tests.end_to_end.second_"
_LIBRARIES = frozenset({"cbor2", "cryptography", "httpx"})


def second_client() -> list[Source]:
    """Return its modules."""
    prefix = _OWN.replace(".", "/")
    return [source for source in python_sources("tests/end_to_end") if source.name.startswith(prefix)]


def sharing_faults(source: Source) -> Iterator[str]:
    """Imports of the project's packages or of its tests, in whatever spelling, and imports by a string."""
    for node in ast.walk(source.tree):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{'.' * node.level}{node.module or ''}"]
        elif isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in {"__import__", "import_module", "importlib", "exec", "eval", "runpy"}:
                yield f"{source.name}:{node.lineno} imports by a string"
        for module in modules:
            is_own = module.startswith(_OWN)
            if not is_own and module.partition(".")[0] in {*PACKAGES, "tests", "", "importlib", "runpy"}:
                yield f"{source.name}:{node.lineno} imports {module}"


def test_the_second_client_shares_no_code_with_the_project():
    assert [fault for source in second_client() for fault in sharing_faults(source)] == []


def test_the_second_client_is_read_whole():
    text = "\n".join(source.text for source in second_client())
    assert len(second_client()) >= 3
    assert [library for library in sorted(_LIBRARIES) if library not in text] == []


@pytest.mark.parametrize(
    "text",
    [
        *(f"import {package}" for package in PACKAGES),
        "import sync.journal as chain",
        "from schemas import signatures",
        "from schemas.signatures import PrivateKey",
        "def late():\n    from field_client.client import FieldClient",
        "from tests.support.raw_tablet import RawTablet",
        "from . import serving",
        "import importlib\nimportlib.import_module('sync.' + 'journal')",
        "__import__('server.app')",
    ],
)
def test_a_planted_import_of_the_project_is_found(text):
    assert list(sharing_faults(source_from("tests/end_to_end/second_planted.py", text)))


@pytest.mark.parametrize(
    "text", ["import httpx", "from tests.end_to_end.second_wire import sign", "import synchronised"]
)
def test_libraries_and_its_own_modules_are_let_through(text):
    assert not list(sharing_faults(source_from("tests/end_to_end/second_planted.py", text)))
