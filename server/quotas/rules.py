"""Credits as a pure function of facts, indicators and campaigns' days: whatever the arrival order.

Facts are taken in the order of (upper end of the corrected time, entry id). For each indicator
that a fact touches, the first rule that applies says what it counts:

1. voided: the entry was voided;
2. out_of_area: the agent was not assigned there at capture;
3. late: outside the campaign's days, or captured (at the latest) over 15 days after its end;
4. pending: the indicator credits on payment, and this is not paid;
5. duplicate: an earlier fact of the same subject has the credit;
6. over_limit: the cap of the subject or of the holder is used up by earlier facts;
7. counted.

Rules 1 to 4 come before the contest, so a fact that one of them stops blocks no other. An earlier
unpaid fact therefore leaves the credit to a later paid one, and takes it back once it is paid:
both ways the order of arrival makes no difference. Going over a quota changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

# A tablet may stay away from the network for this long after the campaign's last day.
CLOSE_DAYS = 15
# The campaign under which figures of the whole office are kept.
OFFICE_CAMPAIGN = 0

STATES = ("counted", "pending", "duplicate", "over_limit", "out_of_area", "voided", "late")
FACT_KINDS = ("visit", "install", "enrolment")
CREDITED = ("agent", "promoter", "team")


class Fact(Struct, frozen=True, gc=False):
    """What quotas need to know of one entry.

    `subject` is what uniqueness is over (the person's identity, or the household); `upper_ms` the
    upper end of the corrected capture time in Unix milliseconds; `in_area` whether the agent was
    assigned there at capture, the days of grace included.
    """

    fact_id: str
    kind: str
    scheme: str | None
    status: str | None
    subject: str
    agent_id: str
    team_id: str | None
    organisation_key: str | None
    promoter: str | None
    area_key: str
    in_area: bool
    campaign: int | None
    business_day: date
    upper_ms: int
    paid: bool
    voided: bool

    @property
    def captured_order(self) -> tuple[int, str]:
        """The place of this fact in every contest."""
        return (self.upper_ms, self.fact_id)


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is counted, for whom and when.

    `statuses` empty: any. `counts_in` "campaign": facts that name a campaign, a figure for each
    campaign (only of `campaign`, where that is set); "office": all facts, one figure, and no
    campaign's days apply. `is_unique`: a subject counts once within each campaign or within the
    office (`unique_within`). `cap`: at most so many of one "subject" or one "holder" (`cap_per`).
    A fact without promoter (team) does not touch an indicator that credits promoters (teams).
    """

    code: str
    fact_kind: str
    scheme: str | None = None
    statuses: frozenset[str] = frozenset()
    credits: str = "agent"
    credited_when: str = "recorded"
    counts_in: str = "campaign"
    campaign: int | None = None
    is_unique: bool = True
    unique_within: str = "campaign"
    cap: int | None = None
    cap_per: str | None = None


class Credit(Struct, frozen=True, gc=False):
    """What one fact counts for one indicator. `winner`: the fact that has the credit instead."""

    fact_id: str
    indicator: str
    agent_id: str
    promoter: str | None
    team_id: str | None
    organisation_key: str | None
    area_key: str
    campaign: int
    business_day: date
    upper_ms: int
    holder_kind: str
    holder: str
    value: int
    state: str
    reason: str
    winner: str | None


class CampaignDays(Protocol):
    """What the rules need to know of a campaign."""

    @property
    def from_day(self) -> date:
        """The first day."""

    @property
    def to_day(self) -> date:
        """The last day."""


def contested_kinds(indicators: Iterable[Indicator]) -> set[str]:
    """Return the kinds of facts for which one fact of a subject can decide about another's credit.

    Of any other kind a fact's credits hang on nothing but itself, its campaign and the indicators.
    """
    return {each.fact_kind for each in indicators if each.is_unique or each.cap_per == "subject"}


def credits_of(
    facts: Iterable[Fact],
    indicators: Iterable[Indicator],
    campaigns: Mapping[int, CampaignDays],
    zone: ZoneInfo,
) -> list[Credit]:
    """Return the credits of `facts`, by indicator, then in the order of capture.

    `facts` must hold every fact of each subject that they touch, and for caps on holders of each
    holder. `zone` is the office's: a campaign closes at one of its midnights.
    """
    found = []
    for indicator, judged in contests(facts, indicators, campaigns, zone):
        found += capped_by_holder(indicator, judged)
    return found


def contests(
    facts: Iterable[Fact],
    indicators: Iterable[Indicator],
    campaigns: Mapping[int, CampaignDays],
    zone: ZoneInfo,
) -> list[tuple[Indicator, list[Credit]]]:
    """Return each indicator's credits before the caps on holders, which reach beyond a subject."""
    ordered = sorted(facts, key=lambda fact: fact.captured_order)
    closes_ms = {number: _closes_ms(campaign, zone) for number, campaign in campaigns.items()}
    late = {fact.fact_id: _lateness(fact, campaigns, closes_ms) for fact in ordered}
    return [
        (indicator, _contest(indicator, ordered, late))
        for indicator in sorted(indicators, key=lambda each: each.code)
    ]


def capped_by_holder(indicator: Indicator, judged: Sequence[Credit]) -> list[Credit]:
    """Return `judged`, given in the order of capture, with the indicator's cap on holders applied."""
    if indicator.cap is None or indicator.cap_per != "holder":
        return list(judged)
    used: dict[tuple[int, str], int] = defaultdict(int)
    capped = []
    for credit in judged:
        if credit.state not in {"counted", "over_limit"}:
            capped.append(credit)
            continue
        group = (credit.campaign, credit.holder)
        is_over = used[group] >= indicator.cap
        used[group] += not is_over
        state, reason = ("over_limit", "holder_cap_reached") if is_over else ("counted", "counted")
        capped.append(credit if credit.state == state else replace(credit, state=state, reason=reason))
    return capped


def touches(indicator: Indicator, fact: Fact) -> bool:
    """Whether `fact` is of the sort that `indicator` is about."""
    if fact.kind != indicator.fact_kind:
        return False
    if indicator.scheme is not None and fact.scheme != indicator.scheme:
        return False
    if indicator.statuses and fact.status not in indicator.statuses:
        return False
    is_named = fact.campaign is not None and indicator.campaign in {None, fact.campaign}
    if indicator.counts_in == "campaign" and not is_named:
        return False
    return _holder(indicator, fact) is not None


def _holder(indicator: Indicator, fact: Fact) -> str | None:
    if indicator.credits == "promoter":
        return fact.promoter
    return fact.team_id if indicator.credits == "team" else fact.agent_id


def _closes_ms(campaign: CampaignDays, zone: ZoneInfo) -> int:
    """The first moment that is more than 15 local days after the campaign's last day."""
    first_day_after = campaign.to_day + timedelta(days=CLOSE_DAYS + 1)
    return int(datetime.combine(first_day_after, time(), zone).timestamp() * 1000)


def _lateness(fact: Fact, campaigns: Mapping[int, CampaignDays], closes_ms: Mapping[int, int]) -> str | None:
    """Return why the fact is too early or too late for its campaign, or None."""
    if fact.campaign is None:
        return None
    campaign = campaigns.get(fact.campaign)
    if campaign is None:
        return "campaign_unknown"
    if fact.business_day < campaign.from_day:
        return "before_campaign"
    if fact.business_day > campaign.to_day:
        return "after_campaign"
    return "captured_after_close" if fact.upper_ms >= closes_ms[fact.campaign] else None


def _contest(indicator: Indicator, ordered: Sequence[Fact], late: Mapping[str, str | None]) -> list[Credit]:
    is_of_campaign = indicator.counts_in == "campaign"
    subject_cap = indicator.cap if indicator.cap_per == "subject" else None
    winners: dict[tuple[int, str], str] = {}
    used: dict[tuple[int, str], int] = defaultdict(int)
    found = []
    for fact in ordered:
        if not touches(indicator, fact):
            continue
        named = OFFICE_CAMPAIGN if fact.campaign is None else fact.campaign
        campaign = named if is_of_campaign else OFFICE_CAMPAIGN
        within = named if indicator.unique_within == "campaign" else OFFICE_CAMPAIGN
        state, reason, winner = _stopped(indicator, fact, late[fact.fact_id] if is_of_campaign else None)
        if not state and indicator.is_unique:
            winner = winners.setdefault((within, fact.subject), fact.fact_id)
            if winner != fact.fact_id:
                state, reason = "duplicate", "subject_already_counted"
            else:
                winner = None
        if not state and subject_cap is not None:
            if used[campaign, fact.subject] >= subject_cap:
                state, reason = "over_limit", "subject_cap_reached"
            used[campaign, fact.subject] += not state
        found.append(_credit(indicator, fact, campaign, (state or "counted", reason or "counted", winner)))
    return found


def _stopped(indicator: Indicator, fact: Fact, lateness: str | None) -> tuple[str, str, str | None]:
    """Return the state and reason by which a fact does not even contest, or empty ones."""
    if fact.voided:
        return "voided", "entry_voided", None
    if not fact.in_area:
        return "out_of_area", "not_assigned_there", None
    if lateness is not None:
        return "late", lateness, None
    if indicator.credited_when == "paid" and not fact.paid:
        return "pending", "not_paid_yet", None
    return "", "", None


def _credit(indicator: Indicator, fact: Fact, campaign: int, standing: tuple[str, str, str | None]) -> Credit:
    state, reason, winner = standing
    holder = _holder(indicator, fact)
    assert holder is not None
    return Credit(
        fact_id=fact.fact_id,
        indicator=indicator.code,
        agent_id=fact.agent_id,
        promoter=fact.promoter,
        team_id=fact.team_id,
        organisation_key=fact.organisation_key,
        area_key=fact.area_key,
        campaign=campaign,
        business_day=fact.business_day,
        upper_ms=fact.upper_ms,
        holder_kind=indicator.credits,
        holder=holder,
        value=1,
        state=state,
        reason=reason,
        winner=winner,
    )
