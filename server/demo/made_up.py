"""People who do not exist: names and numbers from a seed, each number impossible in itself.

National ids begin with 000, which is no province; insurance numbers with 00, which is none either;
phones with 0000, which no network has. Prices are those of the published tables on that day.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from schemas.rate_tables import published_tables
from schemas.rates import Quote, enrolment_quote

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Phan", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương")
_MIDDLE = {
    "female": ("Thị", "Ngọc", "Thị Mỹ", "Thị Kim", "Hồng", "Thanh"),
    "male": ("Văn", "Hữu", "Minh", "Thành", "Quốc", "Đức"),
}
_GIVEN = {
    "female": ("Lan", "Hoa", "Hạnh", "Thảo", "Ánh", "Mai", "Tuyết", "Loan", "Nga", "Yến", "Diễm", "Phượng"),
    "male": ("Hùng", "Dũng", "Tâm", "Phúc", "Lộc", "Sơn", "Hải", "Tài", "Khánh", "Bình", "Toàn", "Đạt"),
}
_ROADS = ("Ấp Bắc", "Trưng Trắc", "Lê Lợi", "Nguyễn Huệ", "Hùng Vương", "Đinh Bộ Lĩnh", "Lý Thường Kiệt")
_WITHOUT_NATIONAL_ID = 0.04

_HOSPITALS = ("BVĐK Trung tâm Tiền Giang", "TTYT thành phố Mỹ Tho", "TTYT huyện Cái Bè")
_INCOMES_VND = (700_000, 700_000, 700_000, 1_000_000, 1_500_000)


@dataclass(frozen=True, slots=True)
class MadeUpPerson:
    """Somebody at a door; `national_id` None: only an insurance number is at hand."""

    full_name: str
    sex: str
    birth_date: str
    national_id: str | None
    insurance_number: str | None
    phone: str | None

    def as_wire(self) -> dict[str, Any]:
        """Return the members of a person's registration."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def numbers(self) -> list[str]:
        """Return every number that identifies this person."""
        return [value for value in (self.national_id, self.insurance_number, self.phone) if value]


class MakingUp:
    """A source of people and prices; the same seed gives the same ones."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._national = iter(random.sample(range(1_000_000), 20_000))
        self._insurance = iter(random.sample(range(100_000_000), 20_000))
        self._phones = iter(random.sample(range(1_000_000), 20_000))

    def name(self, sex: str | None = None) -> str:
        """Return a Vietnamese name."""
        pick = self._random.choice
        sex = sex or pick(("female", "male"))
        return f"{pick(_FAMILY)} {pick(_MIDDLE[sex])} {pick(_GIVEN[sex])}"

    def person(self) -> MadeUpPerson:
        """Return somebody aged 18 to 64 in the year 2020."""
        random = self._random
        sex = random.choice(("female", "male"))
        born = date(1956, 1, 1) + timedelta(days=random.randrange(46 * 365))
        century_and_sex = (2 if born.year >= 2000 else 0) + (sex == "female")
        has_id = random.random() >= _WITHOUT_NATIONAL_ID
        national_id = f"000{century_and_sex}{born.year % 100:02d}{next(self._national):06d}"
        has_number = not has_id or random.random() < 0.3
        return MadeUpPerson(
            full_name=self.name(sex),
            sex=sex,
            birth_date=born.isoformat(),
            national_id=national_id if has_id else None,
            insurance_number=f"00{next(self._insurance):08d}" if has_number else None,
            phone=self.phone() if random.random() < 0.5 else None,
        )

    def phone(self) -> str:
        """Return a phone number that no network has given out."""
        return f"0000{next(self._phones):06d}"

    def address(self) -> str:
        """Return a house number and a road."""
        return f"{self._random.randrange(1, 400)} {self._random.choice(_ROADS)}"

    def enrolment(self, scheme: str, member: int, day: date) -> dict[str, Any]:
        """Return an enrolment's scheme, term and price; `member` counts a household's from 0."""
        random = self._random
        status = "renewal" if random.random() < 0.15 else "new"
        from_day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        found: dict[str, Any] = {"scheme": scheme, "status": status, "from_month": from_day.isoformat()[:7]}
        if scheme == "voluntary":
            months, income_vnd = random.choice((1, 3, 6, 12)), random.choice(_INCOMES_VND)
            found |= {"months": months, "income_vnd": income_vnd, "category": "other"}
        else:
            # Not by chance: the rest of a seed's people stay who they are.
            hospital = _HOSPITALS[member % len(_HOSPITALS)]
            found |= {"months": random.choice((3, 6, 12)), "member": member + 1, "hospital": hospital}
        quote = enrolment_quote(published_tables(), found, day)
        assert isinstance(quote, Quote)
        return found | {"amount_due_vnd": quote.due_vnd}
