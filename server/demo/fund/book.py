"""The office of the demo keeps its fund: every line of the plan's book becomes what a treasurer would do.

Two people, so that whatever needs a second one has one. What comes out otherwise than the book says is
kept in `surprises`, and fails the demo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.audit.changes import Actor, Change, run_change
from server.demo.fund.figures import FUND
from server.demo.fund.files import statement_path
from server.demo.fund.plan import FundPlan
from server.demo.fund.rows import LINES, MATCHES
from server.demo.fund.steps import ANY, OfficeStep
from server.demo.office import office_moment_ms
from server.funds.allocating import (
    approve_card,
    approve_cards,
    cancel_card,
    exclude_nomination,
    propose_card,
    propose_cards,
)
from server.funds.desk import FundDesk
from server.funds.giving import (
    Donor,
    Given,
    confirm_remittance,
    reverse_donation,
    take_cash_donation,
    take_pledge,
    take_transfer_donation,
)
from server.funds.issuing import issue_card, return_card
from server.funds.office_queries import allocations_by_id
from server.funds.payouts import approve_payout, propose_premium, propose_refund
from server.funds.publications import PublicationKind
from server.funds.refusals import FundRefusal, FundRefusedError
from server.funds.rules import DonorClass, MatchKind
from server.funds.setting_up import end_distribution, mark_published
from server.funds.statements import import_statement, match_line, unmatch_line
from server.runtime import Runtime
from sync.clock import VirtualClock

TREASURER, CHIEF = Actor("job:demo-treasurer"), Actor("job:demo-chief")
_AT_ONCE = ("propose", "approve", "issue")
_REASON = "Theo sổ của buổi diễn tập"


class BookKeeper:
    """Does what the book says. `known` gives the ids of what tablets wrote, by the refs on paper."""

    def __init__(
        self, runtime: Runtime, clock: VirtualClock, plan: FundPlan, folder: Path, known: dict[str, str]
    ) -> None:
        self._runtime = runtime
        self._clock = clock
        self._desk = FundDesk.of(runtime)
        self._folder = folder
        self._layouts = {statement.name: statement.layout for statement in plan.statements}
        self._known = known
        self._ids: dict[str, str] = {}
        self._given: dict[str, Given] = {}
        self.surprises: list[str] = []
        self.done = 0

    def keep(self, steps: Sequence[OfficeStep]) -> None:
        """Do the steps of a stretch, each on its day."""
        for (day, action), group in groupby(steps, key=lambda step: (step.day, step.action)):
            self._clock.set(max(office_moment_ms(day, 16), self._clock.now_ms()), 1.0)
            together = list(group)
            if action in _AT_ONCE:
                getattr(self, f"_{action}")(together)
            else:
                for step in together:
                    self._one(step)
            self.done += len(together)

    def _one(self, step: OfficeStep) -> None:
        try:
            outcome = getattr(self, f"_{step.action}")(step) or "done"
        except FundRefusedError as error:
            outcome = error.code.value
        self._note(step, outcome)

    def _note(self, step: OfficeStep, outcome: str) -> None:
        if outcome != step.outcome:
            self.surprises.append(f"{step.day} {step.action} {step.ref}: {outcome} ≠ {step.outcome}")

    def _change(self, work: Callable[[Change], Any], actor: Actor = TREASURER) -> Any:
        return run_change(self._runtime.transactions, actor, self._clock.now_ms(), work)

    def _act(self, action: Callable[..., Any], *arguments: Any, actor: Actor = TREASURER) -> Any:
        return self._change(lambda change: action(change, self._desk, *arguments), actor)

    # --- what is given ------------------------------------------------------------------------------

    def _pledge(self, step: OfficeStep) -> None:
        self._ids[step.ref] = self._act(take_pledge, self._given_by(step), step.day)

    def _cash(self, step: OfficeStep) -> None:
        self._ids[step.ref], _ = self._act(take_cash_donation, self._given_by(step), step.day)

    def _transfer(self, step: OfficeStep) -> None:
        # Taken down with its line, when that is matched.
        self._given[step.ref] = self._given_by(step)

    def _reverse(self, step: OfficeStep) -> None:
        self._act(reverse_donation, self._ids[step.ref], _REASON)

    def _confirm(self, step: OfficeStep) -> None:
        self._act(confirm_remittance, self._known[step.ref])

    def _given_by(self, step: OfficeStep) -> Given:
        kind, _, key = step.bucket.partition(":")
        return Given(
            FUND,
            DonorClass(step.donor_class),
            step.amount_vnd,
            Donor(step.donor) if step.donor else None,
            None if step.bucket == ANY else (kind, key),
            self._ids[step.target] if step.target else None,
        )

    # --- the account --------------------------------------------------------------------------------

    def _import(self, step: OfficeStep) -> str:
        content = statement_path(self._folder, step.ref, self._layouts[step.ref]).read_bytes()
        found = self._act(import_statement, FUND, content)
        if found.faults:
            return str(found.faults[:3])
        return "done" if found.new == step.amount_vnd else f"{found.new} lines"

    def _match(self, step: OfficeStep) -> str:
        kind, _, ref = step.target.partition(":")
        line_id, standing = self._line(step.ref)
        if kind == "office_donation" and ref in self._given:
            given = self._given.pop(ref)
            self._ids[ref] = self._act(take_transfer_donation, given, step.day)
        target_id = (self._known | self._ids)[ref] if ref else None
        if standing is None:
            self._act(match_line, line_id, MatchKind(kind), target_id)
            return "done"
        # What is beyond doubt was matched when the statement was read.
        return "done" if standing[1:] == (kind, target_id) else f"matched as {standing[1:]}"

    def _unmatch(self, step: OfficeStep) -> None:
        _, standing = self._line(step.ref)
        assert standing is not None
        self._act(unmatch_line, standing[0], _REASON)

    def _line(self, reference: str) -> tuple[str, tuple[str, str, str | None] | None]:
        """Return a line's id, and its standing match: id, kind, target."""
        line, match = LINES.c, MATCHES.c
        with self._runtime.transactions.reading() as connection:
            line_id = connection.execute(
                select(line.id).where(line.fund == FUND, line.reference == reference)
            ).scalar_one()
            row = connection.execute(
                select(match.id, match.kind, match.target_id).where(
                    match.line_id == line_id, match.undone_ms.is_(None)
                )
            ).one_or_none()
        return line_id, None if row is None else (row.id, row.kind, row.target_id)

    def _premium(self, step: OfficeStep) -> None:
        self._ids[step.ref] = self._act(propose_premium, FUND)

    def _refund(self, step: OfficeStep) -> None:
        arguments = (FUND, self._ids[step.target], step.amount_vnd, _REASON)
        self._ids[step.ref] = self._act(propose_refund, *arguments)

    def _approve_payout(self, step: OfficeStep) -> None:
        self._act(approve_payout, self._ids[step.ref], actor=CHIEF)

    # --- cards --------------------------------------------------------------------------------------

    def _propose(self, steps: list[OfficeStep]) -> None:
        """Propose what the book proposes that day, in its order."""
        for months, group in groupby(steps, key=lambda step: step.months):
            together = self._without_refused(list(group), self._propose_in_vain)
            named = {self._known[step.ref]: step for step in together}
            asked = list(named)
            if not asked:
                continue

            def work(change: Change, asked: list[str] = asked, months: int = months) -> Any:
                return propose_cards(change, self._desk, asked, months=months)

            proposed, refused = self._change(work)
            outcomes = {each.id: each.detail or each.code.value for each in refused}
            buckets = self._proposed(proposed, named)
            for nomination_id, step in named.items():
                outcome = outcomes.get(nomination_id, "done")
                if outcome == "done" and buckets[step.ref] != step.bucket:
                    outcome = f"paid from {buckets[step.ref]}"
                self._note(step, outcome)

    def _without_refused(self, steps: list[OfficeStep], act: Callable[[OfficeStep], Any]) -> list[OfficeStep]:
        """Try what should be refused, each by itself, and return the others."""
        for step in steps:
            if step.outcome == "done":
                continue
            outcome = "done"
            try:
                act(step)
            except FundRefusedError as error:
                outcome = error.detail if error.code is FundRefusal.NOT_ELIGIBLE else error.code.value
            self._note(step, outcome)
        return [step for step in steps if step.outcome == "done"]

    def _propose_in_vain(self, step: OfficeStep) -> None:
        self._act(propose_card, self._known[step.ref])

    def _proposed(self, ids: Sequence[str], named: Mapping[str, OfficeStep]) -> dict[str, str]:
        """Keep the ids of fresh proposals, and return their buckets by ref."""
        found = {}
        with self._runtime.transactions.reading() as connection:
            fresh = allocations_by_id(connection, ids)
        for each in fresh.values():
            step = named[each.nomination_id]
            self._ids[f"card {step.ref}"] = each.id
            found[step.ref] = each.bucket
        return found

    def _approve(self, steps: list[OfficeStep]) -> None:
        def in_vain(step: OfficeStep) -> None:
            self._act(approve_card, self._ids[f"card {step.ref}"], actor=CHIEF)

        ids = {self._ids[f"card {step.ref}"]: step for step in self._without_refused(steps, in_vain)}
        if not ids:
            return
        refused = self._change(lambda change: approve_cards(change, self._desk, list(ids)), CHIEF)
        outcomes = {each.id: each.code.value for each in refused}
        for allocation_id, step in ids.items():
            self._note(step, outcomes.get(allocation_id, "done"))

    def _issue(self, steps: list[OfficeStep]) -> None:
        """Issue a day's cards as one change, but for those that should be refused."""
        done = [step for step in steps if step.outcome == "done"]

        def work(change: Change) -> None:
            for step in done:
                self._issue_one(change, step)

        if done:
            self._change(work)
        self._without_refused(steps, lambda step: self._change(partial(self._issue_one, step=step)))

    def _issue_one(self, change: Change, step: OfficeStep) -> None:
        number = f"93{int(step.ref[1:]):08d}"
        issue_card(change, self._desk, self._ids[f"card {step.ref}"], number, step.day)

    def _cancel(self, step: OfficeStep) -> None:
        self._act(cancel_card, self._ids[f"card {step.ref}"], _REASON)

    def _return(self, step: OfficeStep) -> None:
        self._act(return_card, self._ids[f"card {step.ref}"], _REASON)

    def _exclude(self, step: OfficeStep) -> str:
        return str(self._act(exclude_nomination, self._known[step.ref]))

    def _publish(self, step: OfficeStep) -> None:
        self._change(lambda change: mark_published(change, FUND, PublicationKind(step.ref)))

    def _end_distribution(self, step: OfficeStep) -> None:
        self._act(end_distribution, FUND, step.day)
