"""What somebody typed into a form, read into what the actions take. Pure.

Whatever cannot be read names its field; what can be read and still breaks a rule is refused by the action.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from server.funds.giving import Donor, Given
from server.funds.publications import PublicationKind
from server.funds.refusals import FundRefusal
from server.funds.rules import DonorClass
from server.funds.setting_up import FundGiven
from server.treasury.wording import FormFault

# Fifteen digits are more than anybody gives, and fit every database.
_DIGITS_MOST = 15
_ANY = "any"
# A day of another year is a slip of the hand, and some have no day so many months later.
_YEARS = range(1900, 2200)

# Which field of a form a refusal is about: the first of these that the form has.
FIELDS_OF: dict[FundRefusal, tuple[str, ...]] = {
    FundRefusal.AMOUNT_INVALID: ("amount_vnd", "target_cards", "price_vnd"),
    FundRefusal.REFUND_TOO_LARGE: ("amount_vnd",),
    FundRefusal.MONTHS_INVALID: ("months",),
    FundRefusal.ACCOUNT_INVALID: ("bank_account",),
    FundRefusal.DAYS_INVALID: ("due_on", "valid_to", "closes_on"),
    FundRefusal.DAY_IN_FUTURE: ("day", "made_on", "distribution_ended_on"),
    FundRefusal.DONOR_MISSING: ("donor_name",),
    FundRefusal.DONOR_NOT_WANTED: ("donor_name",),
    FundRefusal.DONOR_INVALID: ("donor_phone",),
    FundRefusal.AREA_UNKNOWN: ("restriction",),
    FundRefusal.POOL_UNKNOWN: ("restriction",),
    FundRefusal.PLEDGE_UNKNOWN: ("pledge_id",),
    FundRefusal.REASON_MISSING: ("reason",),
    FundRefusal.FUND_EXISTS: ("number",),
    FundRefusal.NUMBER_INVALID: ("number",),
    FundRefusal.TEXT_INVALID: ("name", "donor_name"),
    FundRefusal.CARD_NUMBER_INVALID: ("card_number",),
    FundRefusal.MONEY_SHORT: ("price_vnd",),
}


class FormRefusedError(Exception):
    """Something that was typed cannot be read; `field` is its name in the form."""

    def __init__(self, fault: FormFault, field: str) -> None:
        super().__init__(f"{fault.value} {field}")
        self.fault = fault
        self.field = field


class Typed:
    """The fields of one form."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def text(self, name: str, most: int = 120) -> str:
        """Return a text that says something. Raises FormRefusedError."""
        found = self.maybe(name, most)
        if found is None:
            raise FormRefusedError(FormFault.FIELD_MISSING, name)
        return found

    def maybe(self, name: str, most: int = 120) -> str | None:
        """Return a text, None where nothing was typed. Raises FormRefusedError."""
        found = " ".join(self._fields.get(name, "").split())
        if len(found) > most:
            raise FormRefusedError(FormFault.FIELD_TOO_LONG, name)
        if not found.isprintable():
            raise FormRefusedError(FormFault.TEXT_MALFORMED, name)
        return found or None

    def whole(self, name: str) -> int:
        """Return a whole number, typed with or without its groups of three. Raises FormRefusedError."""
        found = self.maybe_whole(name)
        if found is None:
            raise FormRefusedError(FormFault.FIELD_MISSING, name)
        return found

    def maybe_whole(self, name: str) -> int | None:
        """Return a whole number, None where nothing was typed. Raises FormRefusedError."""
        typed = self._fields.get(name, "").strip().removesuffix("đ").removesuffix("₫")
        digits = typed.translate({ord(sign): None for sign in ". ,\u00a0"})
        if not digits:
            return None
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > _DIGITS_MOST:
            raise FormRefusedError(FormFault.NUMBER_MALFORMED, name)
        return int(digits)

    def day(self, name: str) -> date:
        """Return a day. Raises FormRefusedError."""
        found = self.maybe_day(name)
        if found is None:
            raise FormRefusedError(FormFault.FIELD_MISSING, name)
        return found

    def maybe_day(self, name: str) -> date | None:
        """Return a day, None where nothing was typed. Raises FormRefusedError."""
        typed = self._fields.get(name, "").strip()
        if not typed:
            return None
        try:
            found = date.fromisoformat(typed)
        except ValueError as error:
            raise FormRefusedError(FormFault.DAY_MALFORMED, name) from error
        if found.year not in _YEARS:
            raise FormRefusedError(FormFault.DAY_MALFORMED, name)
        return found

    def one_of(self, name: str, choices: Collection[str]) -> str:
        """Return one of these. Raises FormRefusedError."""
        found = self._fields.get(name, "")
        if found not in choices:
            raise FormRefusedError(FormFault.CHOICE_UNKNOWN, name)
        return found


def read_fund(typed: Typed) -> FundGiven:
    """Return what a form says of a fund. Raises FormRefusedError."""
    return FundGiven(
        name=typed.text("name"),
        name_en=typed.text("name_en"),
        purpose=typed.text("purpose", 1000),
        purpose_en=typed.text("purpose_en", 1000),
        target_cards=typed.whole("target_cards"),
        months=typed.whole("months"),
        opens_on=typed.day("opens_on"),
        closes_on=typed.maybe_day("closes_on"),
        bank_bin=typed.text("bank_bin"),
        bank_account=typed.text("bank_account"),
        bank_holder=typed.text("bank_holder"),
        distribution_ended_on=typed.maybe_day("distribution_ended_on"),
    )


def read_given(fund: int, typed: Typed) -> Given:
    """Return what a form says that somebody gives or promises. Raises FormRefusedError."""
    donor_class = DonorClass(typed.one_of("donor_class", list(DonorClass)))
    name = typed.maybe("donor_name")
    phone, tax_code = typed.maybe("donor_phone", 20), typed.maybe("donor_tax", 20)
    donor = None if name is None else Donor(name, phone, tax_code)
    if donor is None and (phone or tax_code):
        raise FormRefusedError(FormFault.FIELD_MISSING, "donor_name")
    return Given(
        fund=fund,
        donor_class=donor_class,
        amount_vnd=typed.whole("amount_vnd"),
        donor=donor,
        restriction=read_restriction(typed),
        pledge_id=typed.maybe("pledge_id"),
    )


def read_restriction(typed: Typed) -> tuple[str, str] | None:
    """Return (area or pool, key), None for money that is for anybody. Raises FormRefusedError."""
    found = typed.maybe("restriction", 200) or _ANY
    kind, _, key = found.partition(":")
    if found == _ANY:
        return None
    if kind not in ("area", "pool") or not key:
        raise FormRefusedError(FormFault.CHOICE_UNKNOWN, "restriction")
    return kind, key


def read_publication(typed: Typed) -> PublicationKind:
    """Return what was published. Raises FormRefusedError."""
    return PublicationKind(typed.one_of("kind", list(PublicationKind)))


def field_of(code: FundRefusal, fields: Collection[str]) -> str | None:
    """Return the field of a form that a refusal is about, None where it is about no field."""
    return next((name for name in FIELDS_OF.get(code, ()) if name in fields), None)
