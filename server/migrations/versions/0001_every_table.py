"""Every table"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
        sa.UniqueConstraint("worker_id", name=op.f("uq_account_worker_id")),
    )
    op.create_table(
        "area",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("parent_key", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_area")),
    )
    op.create_index(op.f("ix_area_code"), "area", ["code"], unique=False)
    op.create_index(op.f("ix_area_name_key"), "area", ["name_key"], unique=False)
    op.create_index(op.f("ix_area_parent_key"), "area", ["parent_key"], unique=False)
    op.create_index(op.f("ix_area_path"), "area", ["path"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("area_key", sa.Text(), nullable=True),
        sa.Column("organisation_key", sa.Text(), nullable=True),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_area", "assignment", ["area_key"], unique=False)
    op.create_index("ix_assignment_organisation", "assignment", ["organisation_key"], unique=False)
    op.create_index("ix_assignment_worker", "assignment", ["worker_id"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_row",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_audit_row")),
    )
    op.create_table(
        "campaign",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_campaign")),
    )
    op.create_table(
        "campaign_area",
        sa.Column("campaign", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "area_key", name=op.f("pk_campaign_area")),
    )
    op.create_table(
        "campaign_organisation",
        sa.Column("campaign", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organisation_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "organisation_key", name=op.f("pk_campaign_organisation")),
    )
    op.create_table(
        "clock_mark",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("installation_id", sa.Text(), nullable=False),
        sa.Column("server_ms", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("monotonic_ms", sa.BigInteger(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_mark")),
    )
    op.create_index("ix_clock_mark_installation_id", "clock_mark", ["installation_id"], unique=False)
    op.create_table(
        "contested_entry",
        sa.Column("installation_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "seq", "digest", name=op.f("pk_contested_entry")),
    )
    op.create_table(
        "credit",
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("promoter", sa.Text(), nullable=True),
        sa.Column("team_id", sa.Text(), nullable=True),
        sa.Column("organisation_key", sa.Text(), nullable=True),
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("upper_ms", sa.BigInteger(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("winner", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("fact_id", "indicator", name=op.f("pk_credit")),
    )
    op.create_index("ix_credit_campaign", "credit", ["campaign", "indicator", "holder"], unique=False)
    op.create_table(
        "duplicate_candidate",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("found_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "other_id", "reason", name=op.f("pk_duplicate_candidate")),
    )
    op.create_index("ix_duplicate_candidate_other_id", "duplicate_candidate", ["other_id"], unique=False)
    op.create_table(
        "edit_conflict",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("winner_entry_id", sa.Text(), nullable=False),
        sa.Column("loser_entry_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("found_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "record_id", "field", "winner_entry_id", "loser_entry_id", name=op.f("pk_edit_conflict")
        ),
    )
    op.create_table(
        "enrolment",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("income_vnd", sa.BigInteger(), nullable=True),
        sa.Column("amount_due_vnd", sa.BigInteger(), nullable=False),
        sa.Column("paid_vnd", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=True),
        sa.Column("promoter", sa.Text(), nullable=True),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("voided_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_enrolment")),
    )
    op.create_index("ix_enrolment_person_id", "enrolment", ["person_id"], unique=False)
    op.create_table(
        "enrolment_code",
        sa.Column("code_sha256", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_enrolment_code")),
    )
    op.create_table(
        "entry",
        sa.Column("installation_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("shown_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=True),
        sa.Column("lower_ms", sa.BigInteger(), nullable=False),
        sa.Column("upper_ms", sa.BigInteger(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "seq", name=op.f("pk_entry")),
    )
    op.create_index("ix_entry_entry_id", "entry", ["entry_id"], unique=False)
    op.create_table(
        "fact",
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=True),
        sa.Column("organisation_key", sa.Text(), nullable=True),
        sa.Column("promoter", sa.Text(), nullable=True),
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.Column("in_area", sa.Boolean(), nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=True),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("upper_ms", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("voided", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("fact_id", name=op.f("pk_fact")),
    )
    op.create_index("ix_fact_agent", "fact", ["agent_id", "campaign"], unique=False)
    op.create_index("ix_fact_subject", "fact", ["subject"], unique=False)
    op.create_table(
        "feed",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("record_type", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "record_type", "record_id", name=op.f("pk_feed")),
    )
    op.create_index("ix_feed_record", "feed", ["record_type", "record_id"], unique=False)
    op.create_index("ix_feed_scope_seq", "feed", ["scope", "seq"], unique=True)
    op.create_table(
        "field_edit",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value_digest", sa.Text(), nullable=False),
        sa.Column("rank_ms", sa.BigInteger(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "entry_id", "field", name=op.f("pk_field_edit")),
    )
    op.create_table(
        "figure",
        sa.Column("campaign", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("duplicate", sa.BigInteger(), nullable=False),
        sa.Column("over_limit", sa.BigInteger(), nullable=False),
        sa.Column("out_of_area", sa.BigInteger(), nullable=False),
        sa.Column("voided", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "indicator", "holder_kind", "holder", name=op.f("pk_figure")),
    )
    op.create_table(
        "held_wait",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "waits_for", name=op.f("pk_held_wait")),
    )
    op.create_index("ix_held_wait_waits_for", "held_wait", ["waits_for"], unique=False)
    op.create_table(
        "holiday",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name_vi", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("is_worked", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_holiday")),
    )
    op.create_table(
        "household",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_entry", sa.Text(), nullable=False),
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.Column("head_name", sa.Text(), nullable=False),
        sa.Column("head_name_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("hamlet", sa.Text(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.Text(), nullable=True),
        sa.Column("members", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
    )
    op.create_index("ix_household_area_key", "household", ["area_key"], unique=False)
    op.create_table(
        "incident",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("installation_id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index("ix_incident_at_ms", "incident", ["at_ms"], unique=False)
    op.create_table(
        "indicator",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_vi", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("fact_kind", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=True),
        sa.Column("statuses", sa.Text(), nullable=False),
        sa.Column("credits", sa.Text(), nullable=False),
        sa.Column("credited_when", sa.Text(), nullable=False),
        sa.Column("counts_in", sa.Text(), nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=True),
        sa.Column("is_unique", sa.Boolean(), nullable=False),
        sa.Column("unique_within", sa.Text(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=True),
        sa.Column("cap_per", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_indicator")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("certificate_text", sa.Text(), nullable=False),
        sa.Column("certificate_kid", sa.Text(), nullable=False),
        sa.Column("certificate_signature", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("predecessor_id", sa.Text(), nullable=True),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.Column("acked_seq", sa.BigInteger(), nullable=False),
        sa.Column("head_digest", sa.Text(), nullable=False),
        sa.Column("last_valid_seq", sa.BigInteger(), nullable=True),
        sa.Column("last_valid_counter", sa.BigInteger(), nullable=True),
        sa.Column("journal_head_seq", sa.BigInteger(), nullable=False),
        sa.Column("journal_head_digest", sa.Text(), nullable=False),
        sa.Column("last_sync_ms", sa.BigInteger(), nullable=True),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("app_version", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_index("ix_installation_kid", "installation", ["kid"], unique=True)
    op.create_index("ix_installation_number", "installation", ["number"], unique=True)
    op.create_index("ix_installation_worker_id", "installation", ["worker_id"], unique=False)
    op.create_table(
        "installation_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation_counter")),
    )
    op.create_table(
        "job_run",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("scheduled_for", sa.Text(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job", "scheduled_for", name=op.f("pk_job_run")),
    )
    op.create_table(
        "ledger_line",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("line_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("debit_vnd", sa.BigInteger(), nullable=False),
        sa.Column("credit_vnd", sa.BigInteger(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("posted_ms", sa.BigInteger(), nullable=False),
        sa.Column("caused_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "step", "line_number", name=op.f("pk_ledger_line")),
    )
    op.create_index("ix_ledger_line_account", "ledger_line", ["account"], unique=False)
    op.create_table(
        "lock_key",
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_lock_key")),
    )
    op.create_table(
        "login_session",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_login_session")),
    )
    op.create_index(op.f("ix_login_session_account_id"), "login_session", ["account_id"], unique=False)
    op.create_table(
        "money_case",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", "kind", name=op.f("pk_money_case")),
    )
    op.create_index(op.f("ix_money_case_worker_id"), "money_case", ["worker_id"], unique=False)
    op.create_table(
        "office_state",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_office_state")),
    )
    op.create_table(
        "organisation",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("parent_key", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_organisation")),
    )
    op.create_index(op.f("ix_organisation_code"), "organisation", ["code"], unique=False)
    op.create_index(op.f("ix_organisation_name_key"), "organisation", ["name_key"], unique=False)
    op.create_index(op.f("ix_organisation_parent_key"), "organisation", ["parent_key"], unique=False)
    op.create_index(op.f("ix_organisation_path"), "organisation", ["path"], unique=False)
    op.create_table(
        "outcome",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("installation_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_outcome")),
    )
    op.create_index("ix_outcome_state", "outcome", ["state", "changed_ms"], unique=False)
    op.create_index(
        "ix_outcome_worker_id_seq", "outcome", ["worker_id", "installation_id", "seq"], unique=False
    )
    op.create_table(
        "payment",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("installation_id", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("amount_vnd", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("allocations_json", sa.Text(), nullable=False),
        sa.Column("payer_person_id", sa.Text(), nullable=True),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("voided_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_payment")),
    )
    op.create_index(op.f("ix_payment_worker_id"), "payment", ["worker_id"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_entry", sa.Text(), nullable=False),
        sa.Column("household_id", sa.Text(), nullable=True),
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("full_name_key", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("national_id_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("national_id_index", sa.Text(), nullable=True),
        sa.Column("insurance_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("insurance_number_index", sa.Text(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index("ix_person_household_id", "person", ["household_id"], unique=False)
    op.create_index("ix_person_insurance_number_index", "person", ["insurance_number_index"], unique=False)
    op.create_index("ix_person_national_id_index", "person", ["national_id_index"], unique=False)
    op.create_table(
        "plan",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index("ix_plan_campaign_version", "plan", ["campaign", "kind", "version"], unique=True)
    op.create_table(
        "progress",
        sa.Column("campaign", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("duplicate", sa.BigInteger(), nullable=False),
        sa.Column("over_limit", sa.BigInteger(), nullable=False),
        sa.Column("out_of_area", sa.BigInteger(), nullable=False),
        sa.Column("voided", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "campaign", "indicator", "holder_kind", "holder", "business_day", name=op.f("pk_progress")
        ),
    )
    op.create_table(
        "quota",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("quoted_percent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "plan_id", "indicator", "holder_kind", "holder", "from_day", name=op.f("pk_quota")
        ),
    )
    op.create_table(
        "quoted_ratio",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("quoted_percent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "indicator", name=op.f("pk_quoted_ratio")),
    )
    op.create_table(
        "receipt",
        sa.Column("installation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("counter", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content_digest", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("amount_vnd", sa.BigInteger(), nullable=False),
        sa.Column("issued_at_s", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("installation", "counter", "content_digest", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_entry_id"), "receipt", ["entry_id"], unique=False)
    op.create_index("ix_receipt_payment", "receipt", ["payment_id"], unique=False)
    op.create_index("ix_receipt_worker", "receipt", ["worker_id"], unique=False)
    op.create_table(
        "receipt_incident",
        sa.Column("installation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("counter", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content_digest", sa.Text(), nullable=False),
        sa.Column("kept_digest", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "installation", "counter", "content_digest", name=op.f("pk_receipt_incident")
        ),
    )
    op.create_table(
        "record",
        sa.Column("record_type", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("wire_json", sa.Text(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record_type", "record_id", name=op.f("pk_record")),
    )
    op.create_table(
        "scope_head",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("row_sum", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_scope_head")),
    )
    op.create_table(
        "team",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("formed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
    )
    op.create_table(
        "team_membership",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Integer(), nullable=True),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_membership")),
    )
    op.create_index("ix_team_membership_team", "team_membership", ["team_id"], unique=False)
    op.create_index("ix_team_membership_worker", "team_membership", ["worker_id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("household_id", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("call_back_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=True),
        sa.Column("promoter", sa.Text(), nullable=True),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("voided_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_visit")),
    )
    op.create_index("ix_visit_household_id", "visit", ["household_id"], unique=False)
    op.create_table(
        "vssid_install",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=True),
        sa.Column("promoter", sa.Text(), nullable=True),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("voided_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_vssid_install")),
    )
    op.create_index("ix_vssid_install_person_id", "vssid_install", ["person_id"], unique=False)
    op.create_table(
        "worker",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("organisation_key", sa.Text(), nullable=True),
        sa.Column("registered_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_index(op.f("ix_worker_name_key"), "worker", ["name_key"], unique=False)
    op.create_index(op.f("ix_worker_organisation_key"), "worker", ["organisation_key"], unique=False)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index(op.f("ix_worker_organisation_key"), table_name="worker")
    op.drop_index(op.f("ix_worker_name_key"), table_name="worker")
    op.drop_table("worker")
    op.drop_index("ix_vssid_install_person_id", table_name="vssid_install")
    op.drop_table("vssid_install")
    op.drop_index("ix_visit_household_id", table_name="visit")
    op.drop_table("visit")
    op.drop_index("ix_team_membership_worker", table_name="team_membership")
    op.drop_index("ix_team_membership_team", table_name="team_membership")
    op.drop_table("team_membership")
    op.drop_table("team")
    op.drop_table("scope_head")
    op.drop_table("record")
    op.drop_table("receipt_incident")
    op.drop_index("ix_receipt_worker", table_name="receipt")
    op.drop_index("ix_receipt_payment", table_name="receipt")
    op.drop_index(op.f("ix_receipt_entry_id"), table_name="receipt")
    op.drop_table("receipt")
    op.drop_table("quoted_ratio")
    op.drop_table("quota")
    op.drop_table("progress")
    op.drop_index("ix_plan_campaign_version", table_name="plan")
    op.drop_table("plan")
    op.drop_index("ix_person_national_id_index", table_name="person")
    op.drop_index("ix_person_insurance_number_index", table_name="person")
    op.drop_index("ix_person_household_id", table_name="person")
    op.drop_table("person")
    op.drop_index(op.f("ix_payment_worker_id"), table_name="payment")
    op.drop_table("payment")
    op.drop_index("ix_outcome_worker_id_seq", table_name="outcome")
    op.drop_index("ix_outcome_state", table_name="outcome")
    op.drop_table("outcome")
    op.drop_index(op.f("ix_organisation_path"), table_name="organisation")
    op.drop_index(op.f("ix_organisation_parent_key"), table_name="organisation")
    op.drop_index(op.f("ix_organisation_name_key"), table_name="organisation")
    op.drop_index(op.f("ix_organisation_code"), table_name="organisation")
    op.drop_table("organisation")
    op.drop_table("office_state")
    op.drop_index(op.f("ix_money_case_worker_id"), table_name="money_case")
    op.drop_table("money_case")
    op.drop_index(op.f("ix_login_session_account_id"), table_name="login_session")
    op.drop_table("login_session")
    op.drop_table("lock_key")
    op.drop_index("ix_ledger_line_account", table_name="ledger_line")
    op.drop_table("ledger_line")
    op.drop_table("job_run")
    op.drop_table("installation_counter")
    op.drop_index("ix_installation_worker_id", table_name="installation")
    op.drop_index("ix_installation_number", table_name="installation")
    op.drop_index("ix_installation_kid", table_name="installation")
    op.drop_table("installation")
    op.drop_table("indicator")
    op.drop_index("ix_incident_at_ms", table_name="incident")
    op.drop_table("incident")
    op.drop_index("ix_household_area_key", table_name="household")
    op.drop_table("household")
    op.drop_table("holiday")
    op.drop_index("ix_held_wait_waits_for", table_name="held_wait")
    op.drop_table("held_wait")
    op.drop_table("figure")
    op.drop_table("field_edit")
    op.drop_index("ix_feed_scope_seq", table_name="feed")
    op.drop_index("ix_feed_record", table_name="feed")
    op.drop_table("feed")
    op.drop_index("ix_fact_subject", table_name="fact")
    op.drop_index("ix_fact_agent", table_name="fact")
    op.drop_table("fact")
    op.drop_index("ix_entry_entry_id", table_name="entry")
    op.drop_table("entry")
    op.drop_table("enrolment_code")
    op.drop_index("ix_enrolment_person_id", table_name="enrolment")
    op.drop_table("enrolment")
    op.drop_table("edit_conflict")
    op.drop_index("ix_duplicate_candidate_other_id", table_name="duplicate_candidate")
    op.drop_table("duplicate_candidate")
    op.drop_index("ix_credit_campaign", table_name="credit")
    op.drop_table("credit")
    op.drop_table("contested_entry")
    op.drop_index("ix_clock_mark_installation_id", table_name="clock_mark")
    op.drop_table("clock_mark")
    op.drop_table("campaign_organisation")
    op.drop_table("campaign_area")
    op.drop_table("campaign")
    op.drop_table("audit_row")
    op.drop_table("audit_head")
    op.drop_index("ix_assignment_worker", table_name="assignment")
    op.drop_index("ix_assignment_organisation", table_name="assignment")
    op.drop_index("ix_assignment_area", table_name="assignment")
    op.drop_table("assignment")
    op.drop_index(op.f("ix_area_path"), table_name="area")
    op.drop_index(op.f("ix_area_parent_key"), table_name="area")
    op.drop_index(op.f("ix_area_name_key"), table_name="area")
    op.drop_index(op.f("ix_area_code"), table_name="area")
    op.drop_table("area")
    op.drop_table("account")
