"""The project's own sources, parsed: what the guards look at."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("server", "sync", "schemas", "field_client")


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file; `name` is its path from the project's folder."""

    name: str
    text: str
    tree: ast.Module

    def definitions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
        """Yield every function and class, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node


def source_from(name: str, text: str) -> Source:
    """Return a source that is not on disk: for the deliberate violations of the guards."""
    return Source(name, text, ast.parse(text))


@cache
def project_files() -> tuple[str, ...]:
    """Return every file that is, or is about to be, committed; paths from the project's folder."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file()))


@cache
def python_sources(*folders: str) -> tuple[Source, ...]:
    """Return the parsed Python files below `folders`."""
    return tuple(
        source_from(name, (ROOT / name).read_text(encoding="utf-8"))
        for name in project_files()
        if name.endswith(".py") and name.startswith(tuple(f"{folder}/" for folder in folders))
    )
