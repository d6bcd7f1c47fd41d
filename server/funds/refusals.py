"""Why the office's decision about a fund is not taken. The words are in server.funds.wording."""

from __future__ import annotations

from enum import StrEnum


class FundRefusal(StrEnum):
    """A rule that a decision would break."""

    FUND_UNKNOWN = "fund_unknown"
    FUND_EXISTS = "fund_exists"
    POOL_UNKNOWN = "pool_unknown"
    AREA_UNKNOWN = "area_unknown"
    RULE_MALFORMED = "rule_malformed"
    PUBLISHED_ALREADY = "published_already"
    NUMBER_INVALID = "number_invalid"
    CODE_INVALID = "code_invalid"
    TEXT_INVALID = "text_invalid"
    ACCOUNT_INVALID = "account_invalid"
    DAYS_INVALID = "days_invalid"
    MONTHS_INVALID = "months_invalid"
    AMOUNT_INVALID = "amount_invalid"
    DONOR_MISSING = "donor_missing"
    DONOR_NOT_WANTED = "donor_not_wanted"
    DONOR_INVALID = "donor_invalid"
    DAY_IN_FUTURE = "day_in_future"
    REASON_MISSING = "reason_missing"
    PLEDGE_UNKNOWN = "pledge_unknown"
    PLEDGE_CANCELLED = "pledge_cancelled"
    DONATION_UNKNOWN = "donation_unknown"
    DONATION_REVERSED = "donation_reversed"
    DONATION_MATCHED = "donation_matched"
    DONATION_NOT_HERE = "donation_not_here"
    DONATION_REFUNDED = "donation_refunded"
    DONATION_BOUNCED = "donation_bounced"
    RECEIPT_GIVEN = "receipt_given"
    RECEIPT_MISSING = "receipt_missing"
    REMITTANCE_UNKNOWN = "remittance_unknown"
    REMITTANCE_ARRIVED = "remittance_arrived"
    REMITTANCE_TO_ACCOUNT = "remittance_to_account"
    NOMINATION_UNKNOWN = "nomination_unknown"
    NOMINATION_DECIDED = "nomination_decided"
    NOT_ELIGIBLE = "not_eligible"
    ALLOCATED_ALREADY = "allocated_already"
    ALLOCATION_UNKNOWN = "allocation_unknown"
    STAGE_WRONG = "stage_wrong"
    SECOND_PERSON_NEEDED = "second_person_needed"
    PRICE_UNKNOWN = "price_unknown"
    MONEY_SHORT = "money_short"
    CARD_NUMBER_INVALID = "card_number_invalid"
    NOTHING_OWED = "nothing_owed"
    PAYOUT_UNKNOWN = "payout_unknown"
    PAYOUT_DECIDED = "payout_decided"
    PAYOUT_PAID = "payout_paid"
    REFUND_TOO_LARGE = "refund_too_large"


class FundRefusedError(Exception):
    """The decision was not taken; `code` says why, `detail` what more there is to say (a code or a sum)."""

    def __init__(self, code: FundRefusal, detail: str = "") -> None:
        super().__init__(f"{code.value} {detail}".strip())
        self.code = code
        self.detail = detail
