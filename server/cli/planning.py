"""Commands about plans: adopting one from a file, showing its tree, splitting a number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import rich_click as click

from server.audit.changes import Change, run_change
from server.cli.office_app import configured_runtime
from server.cli.setting_up import COMMAND_ACTOR
from server.quotas.actions import PlanInvalidError, adopt_plan
from server.quotas.holders import holder_names
from server.quotas.plan_files import PlanFileError, read_plan
from server.quotas.plans import PlanVersion, plan_versions, quotas_of
from server.quotas.queries import indicators
from server.quotas.splitting import SplitError, split_amount
from server.quotas.trees import Asking, Holder, Node, PlanFault, plan_fault, tree_of
from server.quotas.wording import PLAN_FAULT_WORDS
from sync.clock import local_day


@click.group()
def plans() -> None:
    """Plans: versions, trees of quotas, splits."""


@plans.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check the plan and show its tree; adopt nothing.")
def adopt(path: Path, dry_run: bool) -> None:
    """Adopt the plan in a JSON file as the newest version of its kind, or say why it cannot be."""
    runtime = configured_runtime()
    try:
        plan = read_plan(path.read_bytes())
    except PlanFileError as error:
        raise click.ClickException(str(error)) from error
    with runtime.transactions.reading() as connection:
        credited = {each.indicator.code: each.indicator.credits for each in indicators(connection)}
        fault = plan_fault(plan.kind, plan.quotas, plan.quoted_percents, plan.terms, credited)
        names = holder_names(connection, [("", each.holder_kind, each.holder) for each in plan.quotas])
    if fault is not None:
        raise click.ClickException(_told(fault))

    def work(change: Change) -> str:
        return adopt_plan(
            change,
            runtime.ids,
            plan.campaign,
            plan.kind,
            plan.quotas,
            plan.quoted_percents,
            terms=plan.terms,
            zone=runtime.config.time_zone,
        )

    _show_trees(plan.quotas, names)
    if dry_run:
        click.echo("Nothing was adopted.")
        return
    try:
        plan_id = run_change(runtime.transactions, COMMAND_ACTOR, runtime.clock.now_ms(), work)
    except PlanInvalidError as error:
        raise click.ClickException(_told(error.fault)) from error
    click.echo(f"Adopted as {plan_id}.")


def _told(fault: PlanFault) -> str:
    vietnamese, english = PLAN_FAULT_WORDS[fault.code]
    return f"{fault.code}: {fault.subject}\n{vietnamese}. · {english}."


@plans.command()
@click.argument("campaign", type=click.IntRange(0))
@click.option("--plan", "plan_id", help="A version's id; without it, the initial plan in force.")
@click.option("--json", "is_json", is_flag=True, help="As JSON, with keys instead of names.")
def show(campaign: int, plan_id: str | None, is_json: bool) -> None:
    """Show the versions of a campaign's plan (0: the office's own) and the tree of one of them."""
    runtime = configured_runtime()
    today = local_day(runtime.clock.now_ms(), runtime.config.time_zone)
    with runtime.transactions.reading() as connection:
        versions = plan_versions(connection, campaign, today)
        wanted = [each for each in versions if each.id == plan_id or (plan_id is None and _is_first(each))]
        shown = next(iter(wanted), None)
        quotas = [] if shown is None else quotas_of(connection, {shown.id: shown.kind})
        names = holder_names(connection, [("", each.holder_kind, each.holder) for each in quotas])
    if is_json:
        click.echo(json.dumps(_as_json(versions, shown, quotas), ensure_ascii=False, indent=2))
        return
    for each in versions:
        decision = f", {each.decision_number}" if each.decision_number else ""
        since = f", from {each.effective_from.isoformat()}" if each.effective_from else ""
        click.echo(f"{each.id}  {each.kind} {each.version}{decision}{since}: {each.standing}")
    if shown is None:
        raise click.ClickException("no such plan")
    click.echo(f"\n{shown.kind} {shown.version}")
    _show_trees(quotas, names)


def _is_first(version: PlanVersion) -> bool:
    return version.standing == "in_force" and version.kind == "initial"


def _as_json(
    versions: Iterable[PlanVersion], shown: PlanVersion | None, quotas: Iterable[Asking]
) -> dict[str, object]:
    asked = list(quotas)
    trees = {code: tree_of(asked, code) for code in sorted({each.indicator for each in asked})}
    return {
        "versions": [
            {
                "id": each.id,
                "kind": each.kind,
                "version": each.version,
                "decision_number": each.decision_number,
                "effective_from": each.effective_from.isoformat() if each.effective_from else None,
                "standing": each.standing,
            }
            for each in versions
        ],
        "plan": None if shown is None else shown.id,
        "quotas": [
            {
                "indicator": code,
                "holder": list(node.holder),
                "parent": None if node.parent is None else list(node.parent),
                "amount": node.amount,
                "reserve": node.reserve,
            }
            for code, nodes in trees.items()
            for node in nodes.values()
        ],
    }


def _show_trees(quotas: Iterable[Asking], names: Mapping[tuple[str, str], str]) -> None:
    asked = list(quotas)
    for code in sorted({each.indicator for each in asked}):
        click.echo(code)
        nodes = tree_of(asked, code)
        for holder in sorted(holder for holder, node in nodes.items() if node.parent is None):
            _show_node(nodes, holder, names, 1)


def _show_node(
    nodes: Mapping[Holder, Node], holder: Holder, names: Mapping[tuple[str, str], str], depth: int
) -> None:
    node = nodes[holder]
    reserve = f" (reserve {node.reserve})" if node.reserve else ""
    click.echo(f"{'  ' * depth}{holder.kind} {names.get(holder, holder.key)}: {node.amount}{reserve}")
    for child in node.children:
        _show_node(nodes, child, names, depth + 1)


@plans.command()
@click.argument("amount", type=click.IntRange(0))
@click.argument("weights", nargs=-1, required=True, metavar="CODE=WEIGHT…")
def split(amount: int, weights: tuple[str, ...]) -> None:
    """Split a number in whole parts by weights: largest remainder, ties by code. Prints JSON."""
    parsed: dict[str, int] = {}
    for each in weights:
        code, _, weight = each.rpartition("=")
        if not code or not weight.isascii() or not weight.isdigit() or code in parsed:
            raise click.ClickException(f"{each} is no CODE=WEIGHT, or its code was given before")
        parsed[code] = int(weight)
    try:
        click.echo(json.dumps(split_amount(amount, parsed), ensure_ascii=False))
    except SplitError as error:
        raise click.ClickException(str(error)) from error
