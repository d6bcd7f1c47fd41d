"""Fixtures of every test: databases of both kinds, a clock, a configuration, a runtime."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.runtime import Runtime
from tests.support.chromium import chromium_path
from tests.support.clocks import FakeClock
from tests.support.offices import create_schema, office_environment, open_runtime
from tests.support.postgres import PostgresCluster

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """One PostgreSQL cluster for this test process."""
    cluster = PostgresCluster()
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: PostgresCluster) -> str:
    """The name of a database that has every table and no row."""
    name = postgres_cluster.new_database()
    create_schema(postgres_cluster.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that has every table and no row."""
    path = tmp_path_factory.mktemp("template") / "office.sqlite3"
    create_schema(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh SQLite office with every table."""
    path = tmp_path / "office.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster, postgres_template: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL office with every table."""
    name = postgres_cluster.new_database(postgres_template)
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture(params=BACKENDS)
def any_database(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh office with every table; the test runs once on each kind of database."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(params=BACKENDS)
def any_blank_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, of each kind: what `tungnha migrate` meets first."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.sqlite3'}"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    name = cluster.new_database()
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands at 12 May 2020, 09:00 in Việt Nam, until the test moves it."""
    return FakeClock()


@pytest.fixture
def any_runtime(any_database: str, clock: FakeClock) -> Iterator[Runtime]:
    """A runtime over a fresh office, on each kind of database."""
    with open_runtime(any_database, clock) as runtime:
        yield runtime


@pytest.fixture
def sqlite_runtime(sqlite_url: str, clock: FakeClock) -> Iterator[Runtime]:
    """A runtime over a fresh SQLite office: for rules that no database can change."""
    with open_runtime(sqlite_url, clock) as runtime:
        yield runtime


@pytest.fixture
def environment(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The fixed configuration, set in the environment of this process too."""
    values = office_environment(sqlite_url)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """Have pytest-playwright use the system's Chromium; as root it needs its sandbox off."""
    return {**browser_type_launch_args, "executable_path": chromium_path(), "args": ["--no-sandbox"]}
