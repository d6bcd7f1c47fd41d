"""Poison: an entry whose handler raises in the server, wherever its text names it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from server.exchange.registry import HANDLERS
from tests.simulation.world import POISON, World

_TEXTS = ("head_name", "full_name", "note")


class PoisonError(RuntimeError):
    """What a bug in a handler could raise."""


def is_poison(body: dict[str, Any]) -> bool:
    """Return whether an entry's body is poison."""
    return any(body.get(name) == POISON for name in _TEXTS)


@contextmanager
def poisoned_handlers(world: World) -> Iterator[None]:
    """Let every handler raise on poison, and the oracle know what that comes to."""

    def raising(apply: Any) -> Any:
        def poisoned(batch: Any, arrival: Any) -> Any:
            if is_poison(arrival.body):
                world.fire("poison_entry")
                raise PoisonError
            return apply(batch, arrival)

        return poisoned

    fresh = {name: dataclasses.replace(kind, apply=raising(kind.apply)) for name, kind in HANDLERS.items()}
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(HANDLERS, fresh))
        yield
