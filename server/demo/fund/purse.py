"""What the fund may promise as the plan goes on, so that the plan knows what the office will be refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from server.demo.fund.steps import ANY


class Purse:
    """Free money by bucket, and the cash that agents still hold of it, oldest donation first."""

    def __init__(self) -> None:
        self._free: dict[str, int] = defaultdict(int)
        self._taken: dict[int, list[tuple[tuple[int, ...], str, int]]] = defaultdict(list)
        self._arrived: dict[int, int] = defaultdict(int)

    def give(self, bucket: str, amount_vnd: int) -> None:
        """Put money into a bucket, or take it out."""
        self._free[bucket] += amount_vnd

    def give_at_door(self, agent: int, place: tuple[int, ...], bucket: str, amount_vnd: int) -> None:
        """Cash of a door is free at once, and in the agent's hands; `place` orders an agent's donations."""
        self._free[bucket] += amount_vnd
        self._taken[agent].append((place, bucket, amount_vnd))

    def arrive(self, agent: int, amount_vnd: int) -> None:
        """Cash that an agent carried is here."""
        self._arrived[agent] += amount_vnd

    def left(self, bucket: str) -> int:
        """Return what may be promised from a bucket."""
        here = dict(self._free)
        for agent, taken in self._taken.items():
            left = self._arrived[agent]
            for _, of_bucket, amount_vnd in sorted(taken):
                carried = min(left, amount_vnd)
                left -= carried
                here[of_bucket] -= amount_vnd - carried
        return max(0, min(here.get(bucket, 0), sum(here.values())))

    def bucket_for(self, buckets: Sequence[str], price_vnd: int) -> str:
        """Return the first bucket that can pay a price; the last one where none can."""
        return next((bucket for bucket in buckets if self.left(bucket) >= price_vnd), ANY)
