"""Splitting an amount into whole parts by weights: largest remainder, ties by code. Pure.

The parts always add up to the amount, whoever weighs more never gets less, and the order in which
the weights are given changes nothing. What the method does not promise: with a larger amount and
the same weights, one part may shrink by one while the others grow (docs/decisions/0020).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class SplitError(ValueError):
    """Weights or an amount that nothing can be split by; the message says how."""


def split_amount(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Return `amount` in whole parts by `weights`, by code. Raises SplitError.

    Each part is first rounded down; what is left goes, one each, to the largest remainders, and
    where two are the same to the smaller code.
    """
    if amount < 0 or any(weight < 0 for weight in weights.values()):
        raise SplitError("an amount or a weight below zero")
    total = sum(weights.values())
    if total == 0:
        raise SplitError("weights that add up to nothing")
    parts = {code: divmod(amount * weights[code], total) for code in sorted(weights)}
    left = amount - sum(whole for whole, _rest in parts.values())
    # The sort is stable and the codes are in order, so equal remainders stay ordered by code.
    first = set(sorted(parts, key=lambda code: -parts[code][1])[:left])
    return {code: whole + (code in first) for code, (whole, _rest) in parts.items()}


def equal_weights(codes: Iterable[str]) -> dict[str, int]:
    """Return the weight 1 for every code."""
    return dict.fromkeys(codes, 1)
