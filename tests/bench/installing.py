"""Puts the peers where the benchmark finds them: a cache folder outside this repository.

Nothing of theirs is committed. Versions are pinned here; what they depend on comes as their packages
ask for it. A peer that cannot be installed is NOT RUN, with the reason.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.processes import NotRunError, program

CACHE_VARIABLE = "TUNGNHA_BENCH_CACHE"
_INSTALL_S = 900
_DONE = "installed.json"


def cache_folder() -> Path:
    """Return the folder that holds the peers."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path.home() / ".cache" / "tungnha-bench"


def python_peer(name: str, requirements: Sequence[str]) -> Path:
    """Return the folder of programs of an environment of its own that holds `requirements`."""
    folder = cache_folder() / name
    if not _is_installed(folder, requirements):
        _begin(folder)
        _run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], folder)
        pip = [sys.executable, "-m", "pip", "--python", folder / "venv" / "bin" / "python", "install"]
        _run([*pip, "--quiet", "--disable-pip-version-check", *requirements], folder)
        _finish(folder, requirements)
    return folder / "venv" / "bin"


def node_peer(name: str, packages: Sequence[str]) -> Path:
    """Return the folder whose `node_modules` hold `packages`. Native parts come as prebuilt binaries."""
    program("node")
    folder = cache_folder() / name
    if not _is_installed(folder, packages):
        npm = program("npm")
        _begin(folder)
        (folder / "package.json").write_text('{"private": true}\n')
        _run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages], folder)
        _finish(folder, packages)
    return folder


def _is_installed(folder: Path, wanted: Sequence[str]) -> bool:
    try:
        found: object = json.loads((folder / _DONE).read_text())
    except (OSError, ValueError):
        return False
    return found == list(wanted)


def _begin(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"installing into {folder} (once)", flush=True)  # noqa: T201


def _finish(folder: Path, wanted: Sequence[str]) -> None:
    # Written last: a cut installation is made again.
    (folder / _DONE).write_text(json.dumps(list(wanted)))


def _run(command: Sequence[str | Path], folder: Path) -> None:
    try:
        done = subprocess.run(
            list(command), cwd=folder, capture_output=True, text=True, timeout=_INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotRunError(f"{Path(command[0]).name} took more than {_INSTALL_S} s") from error
    if done.returncode != 0:
        said = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise NotRunError(f"{Path(command[0]).name} ended with {done.returncode}: {said[:400]}")
