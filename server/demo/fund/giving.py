"""Who gives to the fund in its twenty days, and what was promised and never kept. From a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from server.demo.fund.figures import DONORS_VND, OPENS_ON, STAFF_VND, TWENTIETH_DAY, FundScale
from server.demo.fund.steps import ANY, Gift, OfficeStep
from server.demo.made_up import MakingUp

_ROUNDED_VND = 10_000
_DAYS = (TWENTIETH_DAY - OPENS_ON).days + 1
_COMPANIES = ("Nam Phong", "Thành Công", "Hậu Giang Xanh", "Mỹ Lợi", "Tân Tiến", "Phú Quý", "Sông Tiền")
# Of the gifts from others: companies, benefactors, and who gave no name.
_CLASSES = ("company", "company", "benefactor", "benefactor", "anonymous")
_WEIGHTS = {"company": (4.0, 12.0), "benefactor": (0.8, 3.0), "anonymous": (0.1, 0.8), "staff": (0.7, 1.3)}

BOUNCED, EXACT, REFUNDED, REPORTED_TWICE = "G-BOUNCED", "G-EXACT", "G-REFUNDED", "G-TWICE"


def gifts(
    scale: FundScale, random: Random, people: MakingUp, planted: Sequence[Gift]
) -> tuple[list[Gift], list[OfficeStep]]:
    """Return the gifts of the twenty days, to the last đồng as published, and the pledges."""
    staff = [_gift(random, people, f"S{number:03}", "staff", _day(random)) for number in range(scale.staff)]
    others = [
        _gift(random, people, f"G{number:03}", _CLASSES[number % len(_CLASSES)], _day(random))
        for number in range(scale.donors)
    ]
    left_vnd = DONORS_VND - sum(gift.amount_vnd for gift in planted)
    found = [*_shared(random, staff, STAFF_VND), *_shared(random, others, left_vnd)]
    named = [place for place, gift in enumerate(found) if gift.donor_class in ("company", "benefactor")]
    pledges = []
    for number, place in enumerate(named[: scale.planted]):
        kept = replace(found[place], pledge=f"P{number:02}")
        found[place] = kept
        pledges.append(_pledge(kept.pledge, kept.donor_class, kept.donor, kept.amount_vnd))
    # Two more promised, and never gave.
    never = range(scale.planted, scale.planted + 2)
    pledges += [_pledge(f"P{number:02}", "company", _company(random), 20_000_000) for number in never]
    return sorted([*found, *planted], key=lambda gift: (gift.day, gift.ref)), pledges


def planted_gift(ref: str, amount_vnd: int, bucket: str, day: date, donor: str) -> Gift:
    """Return a company's transfer that something is to happen to."""
    return Gift(ref, day, "transfer", "company", donor, amount_vnd, bucket)


def _gift(random: Random, people: MakingUp, ref: str, donor_class: str, day: date) -> Gift:
    match donor_class:
        case "company":
            donor = _company(random)
        case "anonymous":
            donor = ""
        case _:
            donor = people.name()
    in_cash = 0.4 if donor_class in ("staff", "anonymous") else 0.1
    channel = "cash" if random.random() < in_cash else "transfer"
    return Gift(ref, day, channel, donor_class, donor, 0)


def _pledge(ref: str, donor_class: str, donor: str, amount_vnd: int) -> OfficeStep:
    return OfficeStep(
        OPENS_ON,
        "pledge",
        ref,
        amount_vnd=amount_vnd,
        donor_class=donor_class,
        donor=donor,
        bucket=ANY,
    )


def _shared(random: Random, found: Sequence[Gift], total_vnd: int) -> list[Gift]:
    """Split a sum over gifts by random weights, in whole ten thousands but for the last one's rest."""
    weights = [random.uniform(*_WEIGHTS[gift.donor_class]) for gift in found]
    shares = [int(total_vnd * weight / sum(weights)) // _ROUNDED_VND * _ROUNDED_VND for weight in weights]
    shares[0] += total_vnd - sum(shares)
    return [replace(gift, amount_vnd=share) for gift, share in zip(found, shares, strict=True)]


def _day(random: Random) -> date:
    return OPENS_ON + timedelta(days=random.randrange(_DAYS))


def _company(random: Random) -> str:
    return f"Công ty TNHH {random.choice(_COMPANIES)} {random.randrange(1, 90)}"
