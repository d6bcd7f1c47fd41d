"""The list of planted bugs, and what most of them are made with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

Planting = Any
BUGS: dict[str, Callable[[], Planting]] = {}


def bug(name: str) -> Callable[[Callable[[], Planting]], Callable[[], Planting]]:
    """Register a bug: a function that returns the patch to enter."""

    def register(make: Callable[[], Planting]) -> Callable[[], Planting]:
        BUGS[name] = make
        return make

    return register


def instead(owner: Any, name: str, make: Callable[[Any], Any]) -> Planting:
    """Replace `owner.name` with what `make` makes of the original."""
    return mock.patch.object(owner, name, make(getattr(owner, name)))


def nothing(*_arguments: Any, **_more: Any) -> None:
    """Do what a forgotten call does."""


def original(module: str, name: str) -> Any:
    """Return a function before anything is planted in its place."""
    return getattr(sys.modules[module], name)
