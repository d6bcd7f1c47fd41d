"""The one table of every route's permission and scope, and what each role may do.

Endpoints are plain strings, so that no feature imports this. A route that is not listed is
refused, and fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What one can be allowed to do."""

    USE_OWN_SESSION = "use_own_session"
    SEE_BOARD = "see_board"
    SEE_AGENT = "see_agent"
    SEE_QUARANTINE = "see_quarantine"
    SEE_INCIDENTS = "see_incidents"
    SEE_DEVICES = "see_devices"
    SEE_ORIGINAL_BYTES = "see_original_bytes"
    SEE_DUPLICATES = "see_duplicates"
    MERGE_RECORDS = "merge_records"
    SEE_CONFLICTS = "see_conflicts"
    SETTLE_CONFLICTS = "settle_conflicts"
    SETTLE_QUARANTINE = "settle_quarantine"
    ISSUE_ENROLMENT_CODE = "issue_enrolment_code"
    SEE_ACCEPTANCE = "see_acceptance"
    ACCEPT_PERIOD = "accept_period"
    WRITE_OFF_TABLET = "write_off_tablet"
    IMPORT_SHEETS = "import_sheets"
    EXPORT_HOUSEHOLDS = "export_households"
    EXPORT_FULL_NUMBERS = "export_full_numbers"
    EXPORT_PARTICIPANTS = "export_participants"
    SEE_DECLARATIONS = "see_declarations"
    EXPORT_DECLARATIONS = "export_declarations"
    ENTER_OFFICIAL_NUMBERS = "enter_official_numbers"
    SEE_FUNDS = "see_funds"
    MANAGE_FUNDS = "manage_funds"


class RouteScope(StrEnum):
    """Over what a route acts.

    public: anybody. device: whoever signs with an enrolled key; the route itself verifies it.
    self: the logged-in worker's own things. assigned: what lies in the areas that a role with the
    permission covers; the route filters by them. office: the role must be held office-wide.
    """

    PUBLIC = "public"
    DEVICE = "device"
    SELF = "self"
    ASSIGNED = "assigned"
    OFFICE = "office"


@dataclass(frozen=True, slots=True)
class Rule:
    """A route's permission (None where nobody logs in) and scope."""

    permission: Permission | None
    scope: RouteScope


_ANYBODY = frozenset({"agent", "supervisor", "treasurer", "auditor", "committee", "administrator"})
_OVERSEERS = frozenset({"supervisor", "auditor", "committee", "administrator"})

_ROLES_WITH: dict[Permission, frozenset[str]] = {
    Permission.USE_OWN_SESSION: _ANYBODY,
    Permission.SEE_BOARD: _OVERSEERS,
    # The committee reads sums; who knocked at which door is not for it.
    Permission.SEE_AGENT: frozenset({"supervisor", "auditor", "administrator"}),
    Permission.SEE_QUARANTINE: frozenset({"supervisor", "auditor", "administrator"}),
    Permission.SEE_INCIDENTS: frozenset({"supervisor", "auditor", "administrator"}),
    Permission.SEE_DEVICES: frozenset({"supervisor", "auditor", "administrator"}),
    # Original bytes hold ids and phones; opening them is audited.
    Permission.SEE_ORIGINAL_BYTES: frozenset({"supervisor", "administrator"}),
    Permission.SEE_DUPLICATES: frozenset({"supervisor", "auditor", "administrator"}),
    Permission.MERGE_RECORDS: frozenset({"supervisor", "administrator"}),
    Permission.SEE_CONFLICTS: frozenset({"supervisor", "auditor", "administrator"}),
    # Both values are opened from original bytes.
    Permission.SETTLE_CONFLICTS: frozenset({"supervisor", "administrator"}),
    # Correcting needs the bytes; the auditor looks on.
    Permission.SETTLE_QUARANTINE: frozenset({"supervisor", "administrator"}),
    Permission.ISSUE_ENROLMENT_CODE: frozenset({"supervisor", "administrator"}),
    # Statements are what people are paid by: whoever oversees or pays them may read.
    Permission.SEE_ACCEPTANCE: frozenset({"supervisor", "treasurer", "auditor", "administrator"}),
    Permission.ACCEPT_PERIOD: frozenset({"supervisor", "administrator"}),
    # It takes two of them; see server.devices.write_offs.
    Permission.WRITE_OFF_TABLET: frozenset({"supervisor", "administrator"}),
    # A sheet can give anybody any role, and fill every commune.
    Permission.IMPORT_SHEETS: frozenset({"administrator"}),
    Permission.EXPORT_HOUSEHOLDS: frozenset({"supervisor", "administrator"}),
    # Who is insured until when, by name.
    Permission.EXPORT_PARTICIPANTS: frozenset({"supervisor", "administrator"}),
    # Everybody's telephone number in one file.
    Permission.EXPORT_FULL_NUMBERS: frozenset({"administrator"}),
    Permission.SEE_DECLARATIONS: frozenset({"supervisor", "treasurer", "auditor", "administrator"}),
    # The insurer takes no masked numbers: ids, insurance numbers and addresses leave in the clear.
    Permission.EXPORT_DECLARATIONS: frozenset({"supervisor", "administrator"}),
    # Whoever keeps the insurer's receipt books.
    Permission.ENTER_OFFICIAL_NUMBERS: frozenset({"treasurer", "administrator"}),
    Permission.SEE_FUNDS: frozenset({"treasurer", "auditor", "administrator"}),
    # It takes two of them to spend or give back; see server.funds.desk.
    Permission.MANAGE_FUNDS: frozenset({"treasurer", "administrator"}),
}

_PUBLIC = Rule(None, RouteScope.PUBLIC)
_DEVICE = Rule(None, RouteScope.DEVICE)
_OWN = Rule(Permission.USE_OWN_SESSION, RouteScope.SELF)
# A fund is of the whole office, so nobody decides about one for an area.
_FUNDS_SEEN = Rule(Permission.SEE_FUNDS, RouteScope.OFFICE)
_FUNDS_MANAGED = Rule(Permission.MANAGE_FUNDS, RouteScope.OFFICE)

ROUTES: dict[str, Rule] = {
    "static": _PUBLIC,
    "api-docs.openapi_json": _PUBLIC,
    "health.alive": _PUBLIC,
    "health.ready": _PUBLIC,
    # Answers the machine itself only; see server.health.
    "health.metrics": _PUBLIC,
    "access.login_page": _PUBLIC,
    "access.login": _PUBLIC,
    "access.logout": _OWN,
    "exchange.SyncView": _DEVICE,
    "exchange.EnrolmentView": _DEVICE,
    "receipts.receipt_page": _PUBLIC,
    "receipts.receipt_svg": _PUBLIC,
    "receipts.receipt_png": _PUBLIC,
    "receipts_api.receipt_json": _PUBLIC,
    # Sums and cards of funds, without a person in them.
    "public_ledger.index": _PUBLIC,
    "public_ledger.fund_page": _PUBLIC,
    "public_ledger.fund_table": _PUBLIC,
    "public_ledger_api.funds_shown": _PUBLIC,
    "public_ledger_api.fund_shown": _PUBLIC,
    "public_ledger_api.roots_shown": _PUBLIC,
    "dashboard.home": _OWN,
    "dashboard.board": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    "dashboard.plan": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    "dashboard.agent": Rule(Permission.SEE_AGENT, RouteScope.ASSIGNED),
    "dashboard.incidents": Rule(Permission.SEE_INCIDENTS, RouteScope.ASSIGNED),
    "dashboard.devices": Rule(Permission.SEE_DEVICES, RouteScope.ASSIGNED),
    "dashboard.create_code": Rule(Permission.ISSUE_ENROLMENT_CODE, RouteScope.ASSIGNED),
    "workbench.quarantine": Rule(Permission.SEE_QUARANTINE, RouteScope.ASSIGNED),
    "workbench.evidence": Rule(Permission.SEE_ORIGINAL_BYTES, RouteScope.ASSIGNED),
    "workbench.correct_entry": Rule(Permission.SETTLE_QUARANTINE, RouteScope.ASSIGNED),
    "workbench.return_entry": Rule(Permission.SETTLE_QUARANTINE, RouteScope.ASSIGNED),
    "acceptance.overview": Rule(Permission.SEE_ACCEPTANCE, RouteScope.ASSIGNED),
    "acceptance.statement": Rule(Permission.SEE_ACCEPTANCE, RouteScope.ASSIGNED),
    # A statement is of the whole campaign, so nobody accepts for an area.
    "acceptance.accept": Rule(Permission.ACCEPT_PERIOD, RouteScope.OFFICE),
    "acceptance.post": Rule(Permission.ACCEPT_PERIOD, RouteScope.OFFICE),
    "acceptance.write_off": Rule(Permission.WRITE_OFF_TABLET, RouteScope.ASSIGNED),
    # A table's file has the permission of the page that shows it.
    "exports.board": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    "exports.plan": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    "exports.agent_entries": Rule(Permission.SEE_AGENT, RouteScope.ASSIGNED),
    "exports.agent_credits": Rule(Permission.SEE_AGENT, RouteScope.ASSIGNED),
    "exports.devices": Rule(Permission.SEE_DEVICES, RouteScope.ASSIGNED),
    "exports.incidents": Rule(Permission.SEE_INCIDENTS, RouteScope.ASSIGNED),
    "exports.quarantine": Rule(Permission.SEE_QUARANTINE, RouteScope.ASSIGNED),
    "exports.conflicts": Rule(Permission.SEE_CONFLICTS, RouteScope.ASSIGNED),
    "exports.duplicates": Rule(Permission.SEE_DUPLICATES, RouteScope.ASSIGNED),
    "exports.distinct": Rule(Permission.SEE_DUPLICATES, RouteScope.ASSIGNED),
    "exports.statements": Rule(Permission.SEE_ACCEPTANCE, RouteScope.ASSIGNED),
    "exports.statement_lines": Rule(Permission.SEE_ACCEPTANCE, RouteScope.ASSIGNED),
    # The whole office, and what was wrong with a sheet: for who may import.
    "exports.office_table": Rule(Permission.IMPORT_SHEETS, RouteScope.OFFICE),
    "exports.import_faults": Rule(Permission.IMPORT_SHEETS, RouteScope.OFFICE),
    "exports.households": Rule(Permission.EXPORT_HOUSEHOLDS, RouteScope.ASSIGNED),
    "exports.households_full": Rule(Permission.EXPORT_FULL_NUMBERS, RouteScope.OFFICE),
    "exports.participants": Rule(Permission.EXPORT_PARTICIPANTS, RouteScope.ASSIGNED),
    "exports.participants_full": Rule(Permission.EXPORT_FULL_NUMBERS, RouteScope.OFFICE),
    "exports.net_change": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    "exports.outside_figures": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    # Sums without names, as on the board.
    "participants.overview": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    "participants.outside": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    "fund_statements.page": Rule(Permission.SEE_FUNDS, RouteScope.OFFICE),
    "fund_statements.file": Rule(Permission.SEE_FUNDS, RouteScope.OFFICE),
    "declarations.overview": Rule(Permission.SEE_DECLARATIONS, RouteScope.ASSIGNED),
    "declarations.list_file": Rule(Permission.EXPORT_DECLARATIONS, RouteScope.ASSIGNED),
    "declarations.receipts": Rule(Permission.SEE_DECLARATIONS, RouteScope.ASSIGNED),
    "declarations.receipts_file": Rule(Permission.SEE_DECLARATIONS, RouteScope.ASSIGNED),
    "declarations.give_number": Rule(Permission.ENTER_OFFICIAL_NUMBERS, RouteScope.ASSIGNED),
    "declarations.give_numbers_of_file": Rule(Permission.ENTER_OFFICIAL_NUMBERS, RouteScope.ASSIGNED),
    "treasury.overview": _FUNDS_SEEN,
    "treasury.fund": _FUNDS_SEEN,
    "treasury.settings": _FUNDS_SEEN,
    "treasury.payouts": _FUNDS_SEEN,
    "treasury.nominations": _FUNDS_SEEN,
    "treasury.cards": _FUNDS_SEEN,
    "treasury.card": _FUNDS_SEEN,
    "treasury.donations": _FUNDS_SEEN,
    "treasury.donation": _FUNDS_SEEN,
    "treasury.pledges": _FUNDS_SEEN,
    "treasury.remittances": _FUNDS_SEEN,
    "treasury.bank": _FUNDS_SEEN,
    # Who gave is sealed; opening it is audited.
    "treasury.donor": _FUNDS_MANAGED,
    "treasury.pledge_donor": _FUNDS_MANAGED,
    "treasury.new_fund": _FUNDS_MANAGED,
    "treasury.create_fund": _FUNDS_MANAGED,
    "treasury.amend_fund": _FUNDS_MANAGED,
    "treasury.mark_published": _FUNDS_MANAGED,
    "treasury.propose_premium": _FUNDS_MANAGED,
    "treasury.approve_payout": _FUNDS_MANAGED,
    "treasury.cancel_payout": _FUNDS_MANAGED,
    "treasury.decide_nominations": _FUNDS_MANAGED,
    "treasury.approve_chosen": _FUNDS_MANAGED,
    "treasury.issue_card": _FUNDS_MANAGED,
    "treasury.cancel": _FUNDS_MANAGED,
    "treasury.return_card": _FUNDS_MANAGED,
    "treasury.take_donation": _FUNDS_MANAGED,
    "treasury.correct_donation": _FUNDS_MANAGED,
    "treasury.reverse_donation": _FUNDS_MANAGED,
    "treasury.issue_receipt": _FUNDS_MANAGED,
    "treasury.propose_refund": _FUNDS_MANAGED,
    "treasury.take_pledge": _FUNDS_MANAGED,
    "treasury.cancel_pledge": _FUNDS_MANAGED,
    "treasury.confirm_remittance": _FUNDS_MANAGED,
    "treasury.import_bank_statement": _FUNDS_MANAGED,
    "treasury.match_bank_line": _FUNDS_MANAGED,
    "treasury.undo_bank_match": _FUNDS_MANAGED,
    # A sheet is of the whole office, so nobody imports for an area.
    "imports.overview": Rule(Permission.IMPORT_SHEETS, RouteScope.OFFICE),
    "imports.check": Rule(Permission.IMPORT_SHEETS, RouteScope.OFFICE),
    "imports.run": Rule(Permission.IMPORT_SHEETS, RouteScope.OFFICE),
    "imports.apply": Rule(Permission.IMPORT_SHEETS, RouteScope.OFFICE),
    "imports.undo": Rule(Permission.IMPORT_SHEETS, RouteScope.OFFICE),
    "imports.template": Rule(Permission.IMPORT_SHEETS, RouteScope.OFFICE),
    "acceptance_api.completeness_shown": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    "acceptance_api.statement_shown": Rule(Permission.SEE_ACCEPTANCE, RouteScope.ASSIGNED),
    "workbench.duplicates": Rule(Permission.SEE_DUPLICATES, RouteScope.ASSIGNED),
    "workbench.comparison": Rule(Permission.SEE_DUPLICATES, RouteScope.ASSIGNED),
    "workbench.merge_records": Rule(Permission.MERGE_RECORDS, RouteScope.ASSIGNED),
    "workbench.unmerge_records": Rule(Permission.MERGE_RECORDS, RouteScope.ASSIGNED),
    "workbench.mark_distinct": Rule(Permission.MERGE_RECORDS, RouteScope.ASSIGNED),
    "workbench.unmark_distinct": Rule(Permission.MERGE_RECORDS, RouteScope.ASSIGNED),
    "workbench.conflicts": Rule(Permission.SEE_CONFLICTS, RouteScope.ASSIGNED),
    "workbench.conflict": Rule(Permission.SETTLE_CONFLICTS, RouteScope.ASSIGNED),
    "workbench.resolve_conflict": Rule(Permission.SETTLE_CONFLICTS, RouteScope.ASSIGNED),
    "workbench_api.conflicts_shown": Rule(Permission.SEE_CONFLICTS, RouteScope.ASSIGNED),
    "workbench_api.conflict_shown": Rule(Permission.SETTLE_CONFLICTS, RouteScope.ASSIGNED),
    "workbench_api.conflict_resolved": Rule(Permission.SETTLE_CONFLICTS, RouteScope.ASSIGNED),
    "dashboard_api.board_shown": Rule(Permission.SEE_BOARD, RouteScope.ASSIGNED),
    "dashboard_api.entries_shown": Rule(Permission.SEE_AGENT, RouteScope.ASSIGNED),
    "dashboard_api.quarantine_shown": Rule(Permission.SEE_QUARANTINE, RouteScope.ASSIGNED),
    "dashboard_api.create_enrolment_code": Rule(Permission.ISSUE_ENROLMENT_CODE, RouteScope.ASSIGNED),
}


def roles_with(permission: Permission) -> frozenset[str]:
    """Return the roles that have `permission`."""
    return _ROLES_WITH[permission]
