"""The guards: each takes a source and returns its faults as sentences, so that tests can plant some."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.sources import Source

FILE_LINES_MOST = 450
FUNCTION_LINES_MOST = 75
FORBIDDEN_NAMES = frozenset(
    {"utils", "util", "helpers", "helper", "common", "manager", "service", "data", "info"}
)
# Built from parts, so that this file does not hold what it looks for.
_MARKS = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
_MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|Users|work|opt)/[\w.-]"
    r"|(?:extra-)?index-url|find-links|trusted-host|--registry"
    r"|https?://(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org)"
)
_WALL_CLOCK_METHODS = frozenset({"now", "utcnow", "today", "current_timestamp"})
_WALL_CLOCK_FUNCTIONS = frozenset({"time", "time_ns", "localtime", "gmtime", "ctime", "asctime"})


def size_faults(source: Source) -> Iterator[str]:
    """Files and functions that no longer fit in a head."""
    lines = source.text.count("\n")
    if lines > FILE_LINES_MOST:
        yield f"{source.name} has {lines} lines, {FILE_LINES_MOST} at most"
    for node in source.definitions():
        if not isinstance(node, ast.ClassDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MOST:
                yield f"{source.name}: {node.name} has {length} lines, {FUNCTION_LINES_MOST} at most"


def name_faults(source: Source) -> Iterator[str]:
    """Names that say nothing: of modules whole, of functions and classes by their last word."""
    parts = source.name.removesuffix(".py").split("/")
    for part in parts:
        if part in FORBIDDEN_NAMES:
            yield f"{source.name}: `{part}` says nothing as a module's name"
    for node in source.definitions():
        words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", node.name)
        if words and words[-1].lower() in FORBIDDEN_NAMES:
            yield f"{source.name}: `{node.name}` says nothing"


def clock_faults(source: Source) -> Iterator[str]:
    """Readings of the wall clock, which sync/clock.py alone may make."""
    modules, names = _names_of_time(source.tree)
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute | ast.Name):
            continue
        if isinstance(node, ast.Name):
            reads = node.id in names
        elif isinstance(node.value, ast.Name) and node.value.id in modules:
            reads = node.attr in _WALL_CLOCK_FUNCTIONS
        else:
            reads = node.attr in _WALL_CLOCK_METHODS
        if reads:
            yield f"{source.name}:{node.lineno} reads the wall clock"


def _names_of_time(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Return under which names the module `time` and its wall-clock functions are known."""
    modules: set[str] = set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "time"}
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            names |= {
                alias.asname or alias.name for alias in node.names if alias.name in _WALL_CLOCK_FUNCTIONS
            }
    return modules, names


def sql_clock_faults(source: Source) -> Iterator[str]:
    """The database's clock, which tests and the demo's past year cannot move."""
    for node in ast.walk(source.tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and re.search(r"\bCURRENT_(?:TIMESTAMP|DATE|TIME)\b", text):
            yield f"{source.name}:{node.lineno} asks the database for the time"


def mark_faults(name: str, text: str) -> Iterator[str]:
    """Marks of unfinished work."""
    for number, line in enumerate(text.splitlines(), start=1):
        if _MARKS.search(line):
            yield f"{name}:{number} marks unfinished work"


def machine_faults(name: str, text: str) -> Iterator[str]:
    """Paths of one machine and addresses of package registries."""
    for number, line in enumerate(text.splitlines(), start=1):
        if _MACHINE.search(line):
            yield f"{name}:{number} depends on one machine or registry: {line.strip()[:60]}"
