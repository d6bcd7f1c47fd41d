"""`tungnha import`: names what is wrong and ends with 1, or does all of it."""

from __future__ import annotations

import json

from click.testing import CliRunner

from server.access.actions import hash_password, open_account
from server.cli import main
from tests.server.imports.builders import a_household, a_sheet
from tests.support.staff import PASSWORD, a_province, a_worker, changed


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


def a_file(folder, name: str, *rows) -> str:
    path = folder / f"{name}.xlsx"
    path.write_bytes(a_sheet(name, *rows, xlsx=True))
    return str(path)


def test_a_dry_run_says_what_would_be_done_and_does_nothing(environment, sqlite_runtime, tmp_path):
    path = a_file(tmp_path, "workers", {"code": "NV1", "name": "Một"})
    for _ in range(2):
        done = run("import", "workers", path, "--dry-run")
        assert done.exit_code == 0, done.output
        assert "Would import: 1 rows, 1 to add" in done.output


def test_it_imports_once(environment, sqlite_runtime, tmp_path):
    path = a_file(tmp_path, "workers", {"code": "NV1", "name": "Một"})
    assert "Imported: 1 rows, 1 to add" in run("import", "workers", path).output
    again = run("import", "workers", path)
    assert (again.exit_code, "Nothing to import: 1 rows" in again.output) == (0, True)


def test_errors_are_named_by_cell_in_both_languages_and_end_with_1(environment, sqlite_runtime, tmp_path):
    path = a_file(tmp_path, "workers", {"code": 7, "name": "Một"}, {"code": "NV2", "name": None})
    vietnamese, english = run("import", "workers", path), run("import", "workers", path, "--language", "en")
    assert (vietnamese.exit_code, english.exit_code) == (1, 1)
    assert "A2 (Mã nhân viên): Mã đang là số" in vietnamese.output
    assert "B3 (Name): A required cell is empty [cell_required]" in english.output
    found = json.loads(run("import", "workers", path, "--json").output)
    assert found["fault_count"] == 2
    assert [(each["cell"], each["code"]) for each in found["faults"]] == [
        ("A2", "code_is_a_number"),
        ("B3", "cell_required"),
    ]
    assert all(each["text_vi"] and each["text_en"] for each in found["faults"])


def test_households_are_somebodys_decision(environment, sqlite_runtime, tmp_path):
    a_province(sqlite_runtime)
    worker, password = a_worker(sqlite_runtime, "Lan"), hash_password(PASSWORD)
    changed(sqlite_runtime, lambda change: open_account(change, sqlite_runtime.ids, worker, "lan", password))
    path = a_file(tmp_path, "households", a_household(1))
    refused = run("import", "households", path)
    assert (refused.exit_code, "--by LOGIN" in refused.output) == (1, True)
    done = json.loads(run("import", "households", path, "--by", "lan", "--json").output)
    assert (done["state"], done["added"], done["code"]) == ("applied", 1, None)
    assert run("import", "households", path, "--by", "nobody").exit_code == 1
