"""`tungnha declare`: writes the form, tells what lacks what, and is audited."""

from __future__ import annotations

import openpyxl
import pytest
from click.testing import CliRunner

from server.cli import main
from tests.server.declarations.enrolled import EnrolledOffice, enrolled_office
from tests.support.office_checks import rows
from tests.support.offices import office_environment

DAYS = ("--from", "2020-05-01", "--to", "2020-05-31")


@pytest.fixture
def enrolled(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'office.sqlite3'}"
    for name, value in office_environment(url).items():
        monkeypatch.setenv(name, value)
    with enrolled_office(url) as found:
        yield found
        found.office.runtime.transactions.engine.dispose()


def run(*arguments):
    return CliRunner().invoke(main, ["declare", *arguments])


def test_the_list_is_written_counted_and_audited(enrolled: EnrolledOffice, tmp_path):
    path = tmp_path / "d05.xlsx"
    done = run("d05", str(path), *DAYS, "--by", "quanly")
    assert done.exit_code == 0, done.output
    assert "5 whole lines, 5 that lack something" in done.output
    assert "Nhân viên chưa có mã / The agent has no code" in done.output
    header, *lines = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    assert (header[0], len(lines)) == ("STT", 10)
    [(chain, subject)] = rows(
        enrolled.office, "SELECT chain, subject FROM audit_row WHERE action = 'declaration_exported'"
    )
    assert (chain.partition(":")[0], subject) == ("account", "d05")


def test_an_organisation_is_named_by_its_code(enrolled: EnrolledOffice, tmp_path):
    path = tmp_path / "d05.csv"
    assert run("d05", str(path), *DAYS, "--organisation", "BD-MT").exit_code == 0
    text = path.read_text(encoding="utf-8-sig")
    assert "Trần Thị Ánh" in text
    assert "Bùi Văn Kha" not in text
    refused = run("d05", str(path), *DAYS, "--organisation", "KHONG")
    assert (refused.exit_code, "no such organisation" in refused.output) == (2, True)


def test_what_is_no_sheet_is_refused_and_not_audited(enrolled: EnrolledOffice, tmp_path):
    assert run("d03", str(tmp_path / "d03.pdf"), *DAYS).exit_code == 2
    assert run("d03", str(tmp_path / "d03.csv"), *DAYS, "--by", "nobody").exit_code == 1
    assert rows(enrolled.office, "SELECT 1 FROM audit_row WHERE action = 'declaration_exported'") == []
