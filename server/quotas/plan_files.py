"""A plan as a JSON file: what `tungnha plans adopt` reads. docs/operating.md says what may stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from server.quotas.phases import Phase
from server.quotas.splitting import SplitError
from server.quotas.trees import Holder, MinimumAsked, PlanTerms, QuotaAsked, split_below


class PlanFileError(ValueError):
    """A file that is no plan; the message says where and why."""


class _Quota(msgspec.Struct, forbid_unknown_fields=True):
    indicator: str
    holder_kind: str
    holder: str
    from_day: date
    to_day: date
    amount: int
    quoted_percent: str | None = None
    parent: tuple[str, str] | None = None
    phases: dict[str, int] = {}


class _Split(msgspec.Struct, forbid_unknown_fields=True):
    indicator: str
    parent: tuple[str, str]
    holder_kind: str
    weights: dict[str, int]
    keep: int = 0
    phase_weights: dict[str, int] = {}


class _Phase(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    kind: str
    name: str
    from_day: date
    to_day: date


class _Minimum(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name_vi: str
    name_en: str
    parts: dict[str, int]
    holders: list[tuple[str, str]]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    campaign: int
    kind: str
    quotas: list[_Quota] = []
    splits: list[_Split] = []
    phases: list[_Phase] = []
    minimums: list[_Minimum] = []
    decision_number: str | None = None
    decision_day: date | None = None
    effective_from: date | None = None
    may_over_assign: bool = False
    quoted_percents: dict[str, str] = {}
    denominators: dict[str, tuple[int, int]] = {}
    published_done: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class PlanRead:
    """A plan as it was read, with what its splits give."""

    campaign: int
    kind: str
    quotas: tuple[QuotaAsked, ...]
    quoted_percents: dict[str, str]
    terms: PlanTerms


def read_plan(content: bytes) -> PlanRead:
    """Return the plan that a JSON file holds. Raises PlanFileError."""
    try:
        file = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlanFileError(str(error)) from error
    quotas = [
        QuotaAsked(
            each.indicator,
            each.holder_kind,
            each.holder,
            each.from_day,
            each.to_day,
            each.amount,
            each.quoted_percent,
            None if each.parent is None else Holder(*each.parent),
            tuple(each.phases.items()),
        )
        for each in file.quotas
    ]
    for split in file.splits:
        quotas += _split(quotas, split)
    return PlanRead(
        campaign=file.campaign,
        kind=file.kind,
        quotas=tuple(quotas),
        quoted_percents=file.quoted_percents,
        terms=PlanTerms(
            decision_number=file.decision_number,
            decision_day=file.decision_day,
            effective_from=file.effective_from,
            phases=tuple(
                Phase(each.code, each.kind, each.name, each.from_day, each.to_day) for each in file.phases
            ),
            minimums=tuple(
                MinimumAsked(
                    each.code,
                    each.name_vi,
                    each.name_en,
                    tuple(each.parts.items()),
                    tuple(Holder(*holder) for holder in each.holders),
                )
                for each in file.minimums
            ),
            denominators=file.denominators,
            published_done=file.published_done,
            may_over_assign=file.may_over_assign,
        ),
    )


def _split(quotas: list[QuotaAsked], split: _Split) -> list[QuotaAsked]:
    """Return what a split gives those below; the one above stands before it in the file."""
    place = f"{split.indicator} {' '.join(split.parent)}"
    above = [
        each
        for each in quotas
        if (each.indicator, each.holder_kind, each.holder) == (split.indicator, *split.parent)
    ]
    if not above:
        raise PlanFileError(f"split: {place} has no quota to split")
    found = []
    for each in above:
        try:
            found += split_below(
                each, split.holder_kind, split.weights, keep=split.keep, phase_weights=split.phase_weights
            )
        except SplitError as error:
            raise PlanFileError(f"split: {place}: {error}") from error
    return found
