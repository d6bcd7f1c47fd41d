"""Import arrows: kept by the project, and every contract proved by a deliberate violation.

A contract whose wildcard matches nothing passes in silence, so each one has a plant here: a copy of
the packages with bad imports in it, which lint-imports must report, import by import.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, project_files, python_sources


@dataclass(frozen=True, slots=True)
class Plant:
    """A bad import, in whose file, and what the report of which contract must say of it."""

    contract: str
    importer: str
    imported: str

    @property
    def path(self) -> str:
        """The file that gets the import."""
        return self.importer.replace(".", "/") + ".py"


PLANTS = (
    Plant("ends", "sync.journal", "schemas.names"),
    Plant("ends", "schemas.names", "server.config"),
    Plant("ends", "field_client.planted", "server.config"),
    Plant("ends", "server.planted_end", "field_client.planted"),
    Plant("features", "server.quotas.queries", "server.receipts.queries"),
    Plant("features", "server.config", "server.database"),
    Plant("features", "server.office.rules", "server.campaigns.queries"),
    Plant("layers", "server.money.queries", "server.money.workspace"),
    Plant("layers-fund-statements", "server.fund_statements.wording", "server.fund_statements.files"),
    Plant("layers-bank", "server.bank.rules", "server.bank.queries"),
    Plant("layers-funds", "server.funds.rules", "server.funds.queries"),
    Plant("layers", "server.people.rules", "server.people.models"),
    Plant("layers", "server.office.models", "server.office.queries"),
    Plant("layers-exchange", "server.exchange.intake", "server.exchange.judging"),
    Plant("layers-exchange", "server.exchange.batch", "server.exchange.registry"),
    Plant("layers-recovery", "server.recovery.replay", "server.recovery.restore"),
    Plant("layers-demo", "server.demo.plan", "server.demo.office"),
    Plant("layers-exports", "server.exports.table", "server.exports.tables"),
    Plant("layers-public-ledger", "server.public_ledger.figures", "server.public_ledger.queries"),
    Plant("layers-treasury", "server.treasury.overview", "server.treasury.lists"),
    Plant("layers-declarations", "server.declarations.queries", "server.declarations.routes"),
    Plant("layers-imports", "server.imports.office_book", "server.imports.registry"),
    Plant("flask", "server.quotas.queries", "flask"),
    Plant("flask", "server.devices.actions", "flask_smorest"),
    Plant("flask", "server.people.handlers", "werkzeug"),
    Plant("flask", "schemas.names", "flask"),
    Plant("rules", "server.money.rules", "sqlalchemy"),
    Plant("rules", "server.people.rules", "flask"),
    Plant("rules", "server.quotas.rules", "server.database"),
    Plant("core", "sync.journal", "cryptography"),
    Plant("core", "sync.merge", "marshmallow"),
    Plant("cycles", "sync.clock", "sync.judgement"),
)
# Modules that the plants need beside those that exist; an undeclared one is itself a violation.
_ADDED = ("field_client/planted.py", "server/planted_end.py", "server/money/planted.py")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run lint-imports over the packages in `folder`, which come before the installed ones."""
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "400", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, program, "--no-cache", "--no-logo"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def contracts() -> list[dict[str, object]]:
    """Return the contracts of pyproject.toml."""
    tree = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, object]] = tree["tool"]["importlinter"]["contracts"]
    return found


def features_with_models() -> list[str]:
    """Return the names of the server's packages that have tables."""
    return sorted(path.parent.name for path in (ROOT / "server").glob("*/models.py"))


def model_plants() -> list[Plant]:
    """Return one plant for each feature's tables: the wiring at the top reads them itself."""
    return [Plant(f"models-{name}", "server.app", f"server.{name}.models") for name in features_with_models()]


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict[str, str]:
    """What lint-imports says of a copy with every plant in it: contract id → its section."""
    folder = tmp_path_factory.mktemp("planted")
    for name in project_files():
        if name.startswith(tuple(f"{package}/" for package in PACKAGES)) and name.endswith(".py"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    for name in _ADDED:
        (folder / name).write_text("", encoding="ascii")
    for plant in (*PLANTS, *model_plants()):
        with (folder / plant.path).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {plant.imported}\n")
    done = lint_imports(folder)
    assert done.returncode == 1, done.stdout + done.stderr
    return _sections(done.stdout)


def _sections(output: str) -> dict[str, str]:
    """Cut the part «Broken contracts» of a report into its contracts' sections."""
    broken = output.partition("Broken contracts")[2]
    sections = {}
    for contract in contracts():
        heading = f"\n{contract['name']}\n"
        if heading in broken:
            rest = broken.partition(heading)[2]
            rest = re.sub(r"\A-+\n", "", rest)
            sections[str(contract["id"])] = re.split(r"\n[^\n]+\n-{5,}\n", rest)[0]
    return sections


def test_the_projects_own_imports_keep_every_contract():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "plant", PLANTS, ids=lambda plant: f"{plant.contract}: {plant.importer} → {plant.imported}"
)
def test_a_planted_import_breaks_its_contract(report, plant):
    section = report.get(plant.contract, "")
    if plant.contract == "cycles":
        # The report names the package that goes round, and of the circle the link that it would cut.
        assert f"No cycles are allowed in {plant.importer.partition('.')[0]}." in section, section
    else:
        assert f"{plant.importer} -> {plant.imported} " in section, section


def test_every_feature_with_tables_keeps_them_to_itself(report):
    """[F2] No other feature writes the feeds: they are tables of the one choke point."""
    for plant in model_plants():
        assert f"{plant.importer}" in report.get(plant.contract, ""), plant.contract


def test_every_contract_is_broken_by_some_plant(report):
    assert {str(contract["id"]) for contract in contracts()} - set(report) == set()


def test_a_package_or_module_that_is_not_placed_is_reported(report):
    assert "server.planted_end" in report["features"]
    assert "server.money.planted" in report["layers"]


def test_every_feature_is_layered_inside():
    layered = {name for c in contracts() if str(c["id"]).startswith("layers") for name in c["containers"]}
    unlayered = {"server.cli", "server.migrations"}
    features = {f"server.{path.parent.name}" for path in (ROOT / "server").glob("*/__init__.py")}
    assert features - unlayered - layered == set()


def test_the_core_imports_the_standard_library_only():
    foreign = {
        f"{source.name}: {module}"
        for source in python_sources("sync")
        for node in ast.walk(source.tree)
        for module in _imported(node)
        if module.partition(".")[0] not in {*sys.stdlib_module_names, "sync"}
    }
    assert foreign == set()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []
