"""Steps of a history: plain values, drawn from a seed, that mean the same when others are left out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NUMBERS = 5


@dataclass(frozen=True)
class Step:
    """`kind` names what is done, `numbers` choose among what there is then, `salt` seeds its chance."""

    kind: str
    numbers: tuple[int, ...]
    salt: int

    def pick(self, place: int, among: Sequence[Any]) -> Any:
        """Return one of `among` (not empty), by the number at `place`."""
        return among[self.numbers[place] % len(among)]

    def __str__(self) -> str:
        return f"{self.kind}{list(self.numbers)} #{self.salt}"


def read_step(text: str) -> Step:
    """Return the step that `str` has written."""
    what, _, salt = text.partition(" #")
    kind, _, numbers = what.partition("[")
    return Step(kind, tuple(int(number) for number in numbers.rstrip("]").split(",")), int(salt))


def draw_history(seed: int, number: int, weights: dict[str, int]) -> list[Step]:
    """Return history `number` of `seed`."""
    chance = random.Random(f"{seed}/{number}")
    # Each history has a few habits, so that rare things meet often enough within one.
    liked = chance.choices(list(weights), weights=list(weights.values()), k=3)
    kinds = list(weights)
    scale = [weight * (4 if kind in liked else 1) for kind, weight in weights.items()]
    length = chance.randint(9, 17)
    return [
        Step(kind, tuple(chance.randrange(1000) for _ in range(NUMBERS)), chance.randrange(2**32))
        for kind in chance.choices(kinds, weights=scale, k=length)
    ]
