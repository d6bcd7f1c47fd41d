"""What one viewer may see, and the pages' content within it: agents, quarantine, incidents, tablets.

Everything is read through the other features' queries, inside the caller's one snapshot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from server.campaigns.queries import campaigns_by_number
from server.dashboard.formats import installation_number
from server.dashboard.rules import (
    INSTALLATION_TONES,
    LIST_LINES,
    Listing,
    SyncState,
    paged,
    sync_of,
    sync_of_one,
    vietnamese_order,
)
from server.devices.queries import InstallationView, all_installations, installations_of_workers
from server.journals.views import (
    EntryView,
    IncidentView,
    QuarantineFilter,
    contested_count,
    counts_by_state,
    entries_of_installations,
    incidents,
    quarantined_entries,
)
from server.money.queries import AgentBalance, balances_of_agents
from server.office.queries import (
    assignments_at,
    organisations_by_key,
    team_memberships_of,
    teams_by_id,
    visible_areas,
    visible_worker_ids,
    workers_by_id,
)
from server.office.rules import AreaFilter, team_on
from server.outreach.queries import dues_by_id
from server.quotas.completeness import lost_tablets
from server.quotas.queries import credits_of_agent, credits_of_holder, indicators
from server.quotas.rules import Credit
from server.receipts.queries import open_incidents
from sync.codes import Flag


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose things somebody may see; `worker_ids` None: everybody's."""

    areas: AreaFilter
    worker_ids: frozenset[str] | None

    def covers(self, worker_id: str) -> bool:
        """Return whether this worker's things may be seen."""
        return self.worker_ids is None or worker_id in self.worker_ids


@dataclass(frozen=True, slots=True)
class InstallationLine:
    """An installation as pages list it.

    `missing` is for a replaced one: how many entries that it signed for have not come with its
    successor, at most. What a damaged tablet lost is seen here.
    """

    id: str
    number: str
    worker_id: str
    worker_name: str
    state: str
    tone: str
    sync: SyncState
    acked_seq: int
    clock_offset_ms: int | None
    app_version: str | None
    enrolled_ms: int
    missing: int | None


@dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry with its verdict and what has become of it, and who captured it."""

    entry: EntryView
    worker_name: str
    place: str
    # What an enrolment is due and what the rate tables say, in đồng, where they differ.
    due_vnd: int | None = None
    expected_vnd: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An incident, whose, and how many contested entries are kept of the installation."""

    incident: IncidentView
    worker_name: str
    place: str
    contested: int


@dataclass(frozen=True, slots=True)
class CreditLine:
    """What one fact counts for one indicator, in words."""

    credit: Credit
    indicator: tuple[str, str]
    team: str | None
    campaign: str | None


@dataclass(frozen=True, slots=True)
class AgentPage:
    """One agent, without the lists below."""

    worker_id: str
    name: str
    organisation: str | None
    team: str | None
    counted: int
    pending: int
    uncounted: int
    entries: int
    quarantined: int
    balance: AgentBalance
    installations: list[InstallationLine]


def sight_of(connection: Connection, worker_id: str, roles: Iterable[str], now_ms: int) -> Sight:
    """Return what a worker may see through `roles`: the workers of the areas that these cover."""
    areas = visible_areas(connection, worker_id, now_ms, frozenset(roles))
    found = visible_worker_ids(connection, areas, now_ms)
    return Sight(areas, None if found is None else frozenset(found))


def names_of(connection: Connection, worker_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of workers."""
    return {worker.id: worker.name for worker in workers_by_id(connection, worker_ids).values()}


def installation_lines(
    views: Sequence[InstallationView], names: dict[str, str], lost_ids: Collection[str], now_ms: int
) -> list[InstallationLine]:
    """Return the installations with words and tones; `lost_ids`: the replaced ones not carried over."""
    return [
        InstallationLine(
            id=view.id,
            number=installation_number(view.number),
            worker_id=view.worker_id,
            worker_name=names.get(view.worker_id, view.worker_id),
            state=view.state,
            tone=INSTALLATION_TONES.get(view.state, "idle"),
            sync=sync_of_one(view, now_ms),
            acked_seq=view.acked_seq,
            clock_offset_ms=view.clock_offset_ms,
            app_version=view.app_version,
            enrolled_ms=view.enrolled_ms,
            missing=_missing(view, lost_ids),
        )
        for view in views
    ]


def _missing(view: InstallationView, lost_ids: Collection[str]) -> int | None:
    if view.state != "superseded":
        return None
    return view.unsent if view.id in lost_ids else 0


def agent_page(connection: Connection, worker_id: str, now_ms: int, today: date) -> AgentPage | None:
    """Return one agent's figures, tablets and balance; None where there is no such worker."""
    worker = workers_by_id(connection, [worker_id]).get(worker_id)
    if worker is None:
        return None
    own = [credit for credit in credits_of_agent(connection, worker_id) if credit.holder_kind == "agent"]
    states = counts_by_state(connection, [worker_id])[worker_id]
    organisations = organisations_by_key(connection, {worker.organisation_key or ""})
    organisation = organisations.get(worker.organisation_key or "")
    team_id = team_on(team_memberships_of(connection, [worker_id])[worker_id], None, today)
    teams = teams_by_id(connection, [team_id] if team_id else [])
    views = installations_of_workers(connection, [worker_id])[worker_id]
    counted = sum(credit.value for credit in own if credit.state == "counted")
    pending = sum(credit.value for credit in own if credit.state == "pending")
    return AgentPage(
        worker_id=worker_id,
        name=worker.name,
        organisation=organisation.name if organisation else None,
        team=teams[team_id].name if team_id in teams else None,
        counted=counted,
        pending=pending,
        uncounted=sum(credit.value for credit in own) - counted - pending,
        entries=sum(states.values()),
        quarantined=states.get("quarantined", 0),
        balance=balances_of_agents(connection, [worker_id])[worker_id],
        installations=installation_lines(
            views, {worker_id: worker.name}, lost_tablets(connection, views), now_ms
        ),
    )


def agent_credits(
    connection: Connection,
    worker_id: str,
    promoted: Iterable[tuple[int, str, str]],
    state: str | None,
    page: int,
) -> tuple[list[CreditLine], Listing]:
    """Return a page of what a worker recorded and what each thing counts, newest first.

    `promoted` names the figures (campaign, indicator, holder) that the worker has as a promoter:
    what others recorded for them is listed too.
    """
    found = {(credit.fact_id, credit.indicator): credit for credit in credits_of_agent(connection, worker_id)}
    for figure in promoted:
        for credit in credits_of_holder(connection, *figure):
            found[credit.fact_id, credit.indicator] = credit
    everything = [credit for credit in found.values() if state in {None, credit.state}]
    everything.sort(key=lambda credit: (credit.upper_ms, credit.fact_id, credit.indicator), reverse=True)
    start = (page - 1) * LIST_LINES
    shown, listing = paged(everything[start : start + LIST_LINES + 1], page, LIST_LINES)
    names = {named.indicator.code: (named.name_vi, named.name_en) for named in indicators(connection)}
    teams = teams_by_id(connection, {credit.team_id for credit in shown if credit.team_id})
    campaigns = campaigns_by_number(connection, {credit.campaign for credit in shown})
    lines = [
        CreditLine(
            credit=credit,
            indicator=names.get(credit.indicator, (credit.indicator, credit.indicator)),
            team=teams[credit.team_id].name if credit.team_id in teams else None,
            campaign=campaigns[credit.campaign].name if credit.campaign in campaigns else None,
        )
        for credit in shown
    ]
    return lines, listing


def agent_entries(connection: Connection, worker_id: str, page: int) -> tuple[list[EntryLine], Listing]:
    """Return a page of the entries that an agent's tablets delivered, the latest received first."""
    views = installations_of_workers(connection, [worker_id])[worker_id]
    found = entries_of_installations(
        connection, [view.id for view in views], limit=LIST_LINES + 1, offset=(page - 1) * LIST_LINES
    )
    shown, listing = paged(found, page, LIST_LINES)
    return _entry_lines(connection, shown), listing


def quarantine_page(
    connection: Connection, sight: Sight, page: int, wanted: QuarantineFilter | None = None
) -> tuple[list[EntryLine], Listing]:
    """Return a page of the entries that somebody has to settle, newest first."""
    found = quarantined_entries(
        connection, sight.worker_ids, wanted, limit=LIST_LINES + 1, offset=(page - 1) * LIST_LINES
    )
    shown, listing = paged(found, page, LIST_LINES)
    return _entry_lines(connection, shown), listing


def entry_line(connection: Connection, entry: EntryView) -> EntryLine:
    """Return one entry with whose it is."""
    return _entry_lines(connection, [entry])[0]


def _entry_lines(connection: Connection, entries: Sequence[EntryView]) -> list[EntryLine]:
    names = names_of(connection, {entry.worker_id for entry in entries if entry.worker_id})
    numbers = _numbers_of(connection, {entry.worker_id for entry in entries if entry.worker_id})
    flagged = [entry.entry_id for entry in entries if Flag.AMOUNT_DIFFERS in entry.flags]
    dues = dues_by_id(connection, flagged)
    return [
        EntryLine(
            entry,
            names.get(entry.worker_id, "–"),
            _place(numbers, entry.installation_id, entry.seq),
            *dues.get(entry.entry_id, (None, None)),
        )
        for entry in entries
    ]


def _numbers_of(connection: Connection, worker_ids: Iterable[str]) -> dict[str, int]:
    views = installations_of_workers(connection, worker_ids)
    return {view.id: view.number for of_worker in views.values() for view in of_worker}


def _place(numbers: dict[str, int], installation_id: str, seq: int) -> str:
    number = numbers.get(installation_id)
    return f"{installation_number(number) if number is not None else '?'} / {seq}"


def incidents_page(connection: Connection, sight: Sight, page: int) -> tuple[list[IncidentLine], Listing]:
    """Return a page of incidents, newest first."""
    found = incidents(connection, sight.worker_ids, limit=LIST_LINES + 1, offset=(page - 1) * LIST_LINES)
    shown, listing = paged(found, page, LIST_LINES)
    names = names_of(connection, {incident.worker_id for incident in shown})
    numbers = _numbers_of(connection, {incident.worker_id for incident in shown})
    contested = {
        installation_id: contested_count(connection, installation_id)
        for installation_id in {incident.installation_id for incident in shown}
    }
    lines = [
        IncidentLine(
            incident=incident,
            worker_name=names.get(incident.worker_id, "–"),
            place=_place(numbers, incident.installation_id, incident.seq),
            contested=contested[incident.installation_id],
        )
        for incident in shown
    ]
    return lines, listing


def devices_page(
    connection: Connection, sight: Sight, page: int, now_ms: int
) -> tuple[list[InstallationLine], Listing]:
    """Return a page of the installations, who has been silent longest first."""
    views = [view for view in all_installations(connection) if sight.covers(view.worker_id)]
    views.sort(key=lambda view: (view.state != "active", view.last_sync_ms or 0, view.number))
    start = (page - 1) * LIST_LINES
    shown, listing = paged(views[start : start + LIST_LINES + 1], page, LIST_LINES)
    names = names_of(connection, {view.worker_id for view in shown})
    lost_ids = lost_tablets(connection, views) if any(view.state == "superseded" for view in shown) else set()
    return installation_lines(shown, names, lost_ids, now_ms), listing


def syncs_of(connection: Connection, worker_ids: Iterable[str], now_ms: int) -> dict[str, SyncState]:
    """Return the sync state of each worker."""
    views = installations_of_workers(connection, worker_ids)
    return {worker_id: sync_of(of_worker, now_ms) for worker_id, of_worker in views.items()}


@dataclass(frozen=True, slots=True)
class NumberLine:
    """A receipt number under which two signed contents arrived."""

    number: str
    worker_id: str
    worker_name: str
    opened_ms: int


def receipt_incidents(connection: Connection, sight: Sight) -> list[NumberLine]:
    """Return the receipt numbers that were used twice, oldest first."""
    found = [each for each in open_incidents(connection) if sight.covers(each.worker_id)]
    names = names_of(connection, {each.worker_id for each in found})
    return [
        NumberLine(
            number=f"{installation_number(each.installation)}-{each.counter:08}",
            worker_id=each.worker_id,
            worker_name=names.get(each.worker_id, "–"),
            opened_ms=each.opened_ms,
        )
        for each in found
    ]


def agents_in(connection: Connection, sight: Sight, now_ms: int) -> list[tuple[str, str]]:
    """Return id and name of those who may get a tablet: the agents in sight, by name."""
    ids = {span.worker_id for span in assignments_at(connection, now_ms, {"agent"})}
    names = names_of(connection, {worker_id for worker_id in ids if sight.covers(worker_id)})
    return sorted(names.items(), key=lambda item: (vietnamese_order(item[1]), item[0]))
