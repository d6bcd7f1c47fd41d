"""The ledger: posted on arrival, once per entry id, balanced whatever happens."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from server.audit.changes import Actor, Change, run_change
from server.money.queries import balances_of_agents, ledger_totals, open_cases, payments_by_id
from server.money.rules import (
    Claim,
    Payment,
    PaymentState,
    amount_claimed,
    arrival_lines,
    claim_of,
    is_balanced,
    settlement_lines,
    void_lines,
)
from server.money.workspace import MoneyWorkspace
from server.runtime import Runtime
from sync.clock import CorrectedTime
from sync.codes import EntryCode, Flag
from sync.judgement import Applied, Arrival, Refused
from tests.support.clocks import CountingIds

DAY = date(2020, 5, 23)
ACTOR = Actor("installation:test")
IDS = CountingIds(series=9)


def a_body(payment: str, *amounts: Any, method: str = "cash", scheme: str = "voluntary") -> dict[str, Any]:
    allocations = [{"enrolment": IDS.new_id(), "amount_vnd": amount} for amount in amounts]
    return {"payment": payment, "scheme": scheme, "method": method, "allocations": allocations, "note": None}


def claimed(body: dict[str, Any] | None) -> Claim:
    return claim_of("payment_collected", body)


def an_arrival(body: dict[str, Any], entry_id: str, worker: str = "w1") -> Arrival:
    return Arrival(
        entry_id=entry_id,
        kind="payment_collected",
        body=body,
        sha256="0" * 64,
        installation_id="i1",
        installation_number=1,
        worker_id=worker,
        corrected=CorrectedTime(0, 0),
        business_day=DAY,
        received_ms=5,
    )


class Desk:
    """Runs work over a money workspace, each time as a change of its own."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def change(self, ids: list[str], work: Any) -> Any:
        def run(change: Change) -> Any:
            money = MoneyWorkspace(change)
            money.want_payments(ids)
            money.load()
            result = work(money)
            money.finish()
            change.audit("test", "batch")
            return result

        return run_change(self.runtime.transactions, ACTOR, 5, run)

    def arrive(self, entry_id: str, body: dict[str, Any] | None, worker: str = "w1") -> Flag | None:
        return self.change(
            [entry_id], lambda money: money.post_on_arrival(entry_id, worker, "i1", claimed(body), DAY, 5)
        )

    def settle(self, entry_id: str, body: dict[str, Any], worker: str = "w1") -> Any:
        arrival = an_arrival(body, entry_id, worker)
        return self.change([entry_id], lambda money: money.settle(arrival, "p1"))

    def void(self, entry_id: str) -> None:
        self.change([entry_id], lambda money: money.void(entry_id, "v1"))

    def payment(self, entry_id: str) -> Payment:
        with self.runtime.transactions.reading() as connection:
            return payments_by_id(connection, [entry_id])[entry_id]

    def balance(self, worker: str = "w1") -> tuple[int, int, int]:
        with self.runtime.transactions.reading() as connection:
            found = balances_of_agents(connection, [worker])[worker]
        return found.cash_in_hand_vnd, found.transfer_claims_vnd, found.suspense_vnd


@pytest.fixture
def desk(any_runtime: Runtime) -> Desk:
    return Desk(any_runtime)


def test_cash_posts_against_suspense_and_settles_to_its_scheme(desk: Desk) -> None:
    entry_id = IDS.new_id()
    body = a_body(entry_id, 300_000, 33_000)
    assert desk.arrive(entry_id, body) is None
    assert desk.balance() == (333_000, 0, 333_000)
    assert desk.settle(entry_id, body) == Applied()
    assert desk.balance() == (333_000, 0, 0)
    payment = desk.payment(entry_id)
    assert payment.state is PaymentState.SETTLED
    assert payment.payer_person_id == "p1"
    assert [amount for _, amount in payment.allocations] == [300_000, 33_000]
    with desk.runtime.transactions.reading() as connection:
        totals = ledger_totals(connection)
    assert totals.debit_vnd == totals.credit_vnd == 666_000
    assert totals.balances_vnd == {"cash_in_hand": 333_000, "suspense": 0, "contributions_due": -333_000}


def test_a_payment_posts_once_however_often_it_arrives_and_settles(desk: Desk) -> None:
    entry_id = IDS.new_id()
    body = a_body(entry_id, 50_000)
    for _ in range(3):
        desk.arrive(entry_id, body)
        desk.settle(entry_id, body)
    assert desk.balance() == (50_000, 0, 0)
    desk.void(entry_id)
    desk.void(entry_id)
    assert desk.balance() == (0, 0, 0)
    assert desk.settle(entry_id, body) == Refused(desk.settle(entry_id, body).fault)
    assert desk.settle(entry_id, body).fault.code is EntryCode.ALREADY_VOIDED


def test_a_payment_arrives_and_settles_within_one_batch(desk: Desk) -> None:
    entry_id = IDS.new_id()
    body = a_body(entry_id, 70_000)

    def work(money: MoneyWorkspace) -> None:
        money.post_on_arrival(entry_id, "w1", "i1", claimed(body), DAY, 5)
        money.post_on_arrival(entry_id, "w1", "i1", claimed(body), DAY, 5)
        money.settle(an_arrival(body, entry_id), None)

    desk.change([entry_id], work)
    assert desk.balance() == (70_000, 0, 0)


def test_a_transfer_is_a_claim_until_the_bank_statement_shows_it(desk: Desk) -> None:
    entry_id = IDS.new_id()
    desk.arrive(entry_id, a_body(entry_id, 10_000, method="transfer"))
    assert desk.balance() == (0, 10_000, 10_000)


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"allocations": []},
        {"allocations": "x"},
        {"allocations": [None]},
        *(
            {"allocations": [{"amount_vnd": 5}, {"amount_vnd": amount}]}
            for amount in (0, -1, 1.5, 1.0, True, "5", None, 10**9 + 1)
        ),
    ],
)
def test_an_unknown_amount_posts_nothing_and_opens_one_case(desk: Desk, body: dict[str, Any] | None) -> None:
    entry_id = IDS.new_id()
    assert desk.arrive(entry_id, body) is Flag.AMOUNT_UNKNOWN
    assert desk.arrive(entry_id, body) is Flag.AMOUNT_UNKNOWN
    assert desk.balance() == (0, 0, 0)
    with desk.runtime.transactions.reading() as connection:
        assert [(case.entry_id, case.kind) for case in open_cases(connection)] == [
            (entry_id, "amount_unknown")
        ]


def test_what_does_not_add_up_stays_in_suspense(desk: Desk) -> None:
    entry_id = IDS.new_id()
    body = a_body(entry_id, 10_000, 20_000)
    body["allocations"][1]["enrolment"] = body["allocations"][0]["enrolment"]
    desk.arrive(entry_id, body)
    assert desk.settle(entry_id, body).fault.code is EntryCode.ALLOCATION_MISMATCH
    other = a_body(IDS.new_id(), 30_000)
    assert desk.settle(entry_id, other).fault.field == "payment"
    assert desk.balance() == (30_000, 0, 30_000)


def test_voiding_what_never_settled_empties_suspense(desk: Desk) -> None:
    entry_id = IDS.new_id()
    desk.arrive(entry_id, a_body(entry_id, 10_000))
    desk.void(entry_id)
    assert desk.balance() == (0, 0, 0)
    assert desk.payment(entry_id).state is PaymentState.VOIDED


def test_balances_equal_a_separate_count_after_any_sequence(desk: Desk) -> None:
    chance = random.Random(20200523)
    bodies = {}
    for _ in range(25):
        entry_id = IDS.new_id()
        method, scheme = chance.choice(["cash", "transfer"]), chance.choice(["voluntary", "health"])
        bodies[entry_id] = a_body(entry_id, chance.randint(1, 10**9), method=method, scheme=scheme)
    worker_of = {entry_id: chance.choice(["w1", "w2"]) for entry_id in bodies}
    state: dict[str, str] = {}
    for _ in range(120):
        entry_id = chance.choice(list(bodies))
        step = chance.choice(["arrive", "settle", "void"])
        worker = worker_of[entry_id]
        if step == "arrive":
            desk.arrive(entry_id, bodies[entry_id], worker)
            state.setdefault(entry_id, "arrived")
        elif step == "settle" and entry_id in state:
            desk.settle(entry_id, bodies[entry_id], worker)
            state[entry_id] = "settled" if state[entry_id] != "voided" else "voided"
        elif step == "void" and entry_id in state and chance.random() < 0.4:
            desk.void(entry_id)
            state[entry_id] = "voided"
    expected: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for entry_id, known in state.items():
        amount = bodies[entry_id]["allocations"][0]["amount_vnd"]
        if known != "voided":
            expected[worker_of[entry_id]][bodies[entry_id]["method"] == "transfer"] += amount
        if known == "arrived":
            expected[worker_of[entry_id]][2] += amount
    assert {"arrived", "settled", "voided"} <= set(state.values())
    for worker in ("w1", "w2"):
        assert list(desk.balance(worker)) == expected[worker]
    with desk.runtime.transactions.reading() as connection:
        totals = ledger_totals(connection)
    assert totals.debit_vnd == totals.credit_vnd
    assert sum(totals.balances_vnd.values()) == 0


@given(
    some.integers(0, 10**12),
    some.sampled_from(["cash", "transfer"]),
    some.sampled_from(["voluntary", "health", None]),
)
def test_every_posting_balances_and_a_void_undoes_it_all(
    amount: int, method: str, scheme: str | None
) -> None:
    state = PaymentState.ARRIVED if scheme is None else PaymentState.SETTLED
    payment = Payment("e", "w", "i", scheme, method, amount, state, (), None, DAY)
    arrival = arrival_lines("w", method, amount)
    settlement = () if scheme is None else settlement_lines("w", scheme, amount)
    void = void_lines(payment)
    assert is_balanced(arrival)
    assert is_balanced(settlement)
    assert is_balanced(void)
    left: defaultdict[str, int] = defaultdict(int)
    for line in (*arrival, *settlement, *void):
        left[line.account] += line.debit_vnd - line.credit_vnd
    assert not any(left.values())


@given(
    some.recursive(
        some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5),
        lambda inner: (
            some.lists(inner, max_size=3)
            | some.dictionaries(some.sampled_from(["allocations", "amount_vnd", "x"]), inner, max_size=3)
        ),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict))
)
def test_reading_the_amount_of_any_json_never_fails(body: dict[str, Any]) -> None:
    amount = amount_claimed(body)
    assert amount is None or amount >= 1
