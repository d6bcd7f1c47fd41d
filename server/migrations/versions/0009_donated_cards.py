"""Donated cards: funds, statements, and a ledger in cards beside đồng."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table("allocation",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("nomination_id", sa.Text(), nullable=False),
    sa.Column("person_id", sa.Text(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("bucket", sa.Text(), nullable=False),
    sa.Column("pool", sa.Text(), nullable=False),
    sa.Column("area_key", sa.Text(), nullable=False),
    sa.Column("months", sa.Integer(), nullable=False),
    sa.Column("member", sa.Integer(), nullable=False),
    sa.Column("proposed_by", sa.Text(), nullable=False),
    sa.Column("proposed_ms", sa.BigInteger(), nullable=False),
    sa.Column("price_vnd", sa.BigInteger(), nullable=True),
    sa.Column("priced_on", sa.Date(), nullable=True),
    sa.Column("approved_by", sa.Text(), nullable=True),
    sa.Column("approved_ms", sa.BigInteger(), nullable=True),
    sa.Column("issued_price_vnd", sa.BigInteger(), nullable=True),
    sa.Column("issued_on", sa.Date(), nullable=True),
    sa.Column("issued_by", sa.Text(), nullable=True),
    sa.Column("issued_ms", sa.BigInteger(), nullable=True),
    sa.Column("card_sealed", sa.Text(), nullable=True),
    sa.Column("valid_from", sa.Date(), nullable=True),
    sa.Column("valid_to", sa.Date(), nullable=True),
    sa.Column("payout_id", sa.Text(), nullable=True),
    sa.Column("ended", sa.Text(), nullable=True),
    sa.Column("ended_reason", sa.Text(), nullable=True),
    sa.Column("ended_by", sa.Text(), nullable=True),
    sa.Column("ended_ms", sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation"))
    )
    op.create_index("ix_allocation_fund", "allocation", ["fund"], unique=False)
    op.create_index("ix_allocation_person", "allocation", ["person_id"], unique=False)
    op.create_index("ux_allocation_nomination", "allocation", ["nomination_id"], unique=True, sqlite_where=sa.text("ended_ms IS NULL"), postgresql_where=sa.text("ended_ms IS NULL"))
    op.create_table("bank_import",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("layout", sa.Text(), nullable=False),
    sa.Column("file_sha256", sa.Text(), nullable=False),
    sa.Column("from_day", sa.Date(), nullable=False),
    sa.Column("to_day", sa.Date(), nullable=False),
    sa.Column("opening_vnd", sa.BigInteger(), nullable=True),
    sa.Column("closing_vnd", sa.BigInteger(), nullable=True),
    sa.Column("line_count", sa.Integer(), nullable=False),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_import"))
    )
    op.create_table("bank_line",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("import_id", sa.Text(), nullable=False),
    sa.Column("number", sa.Integer(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("day", sa.Date(), nullable=False),
    sa.Column("amount_vnd", sa.BigInteger(), nullable=False),
    sa.Column("balance_vnd", sa.BigInteger(), nullable=True),
    sa.Column("reference", sa.Text(), nullable=True),
    sa.Column("sealed", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line"))
    )
    op.create_index("ix_bank_line_fund", "bank_line", ["fund", "day"], unique=False)
    op.create_table("bank_mapping",
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("columns", sa.Text(), nullable=False),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("name", name=op.f("pk_bank_mapping"))
    )
    op.create_table("bank_match",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("line_id", sa.Text(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("target_id", sa.Text(), nullable=True),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.Column("undone_by", sa.Text(), nullable=True),
    sa.Column("undone_ms", sa.BigInteger(), nullable=True),
    sa.Column("undone_reason", sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_match"))
    )
    op.create_index("ux_bank_match_line", "bank_match", ["line_id"], unique=True, sqlite_where=sa.text("undone_ms IS NULL"), postgresql_where=sa.text("undone_ms IS NULL"))
    op.create_index("ux_bank_match_target", "bank_match", ["kind", "target_id"], unique=True, sqlite_where=sa.text("undone_ms IS NULL"), postgresql_where=sa.text("undone_ms IS NULL"))
    op.create_table("donation",
    sa.Column("entry_id", sa.Text(), nullable=False),
    sa.Column("worker_id", sa.Text(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("bucket", sa.Text(), nullable=False),
    sa.Column("donor_class", sa.Text(), nullable=False),
    sa.Column("sealed", sa.Text(), nullable=True),
    sa.Column("method", sa.Text(), nullable=False),
    sa.Column("amount_vnd", sa.BigInteger(), nullable=False),
    sa.Column("pledge_id", sa.Text(), nullable=True),
    sa.Column("area_key", sa.Text(), nullable=False),
    sa.Column("upper_ms", sa.BigInteger(), nullable=False),
    sa.Column("business_day", sa.Date(), nullable=False),
    sa.Column("received_ms", sa.BigInteger(), nullable=False),
    sa.Column("voided_by", sa.Text(), nullable=True),
    sa.Column("voided_on", sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_donation"))
    )
    op.create_index("ix_donation_fund", "donation", ["fund", "business_day"], unique=False)
    op.create_table("eligibility_rule",
    sa.Column("pool", sa.Text(), nullable=False),
    sa.Column("valid_from", sa.Date(), nullable=False),
    sa.Column("conditions", sa.Text(), nullable=False),
    sa.Column("source", sa.Text(), nullable=False),
    sa.Column("is_assumption", sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint("pool", "valid_from", name=op.f("pk_eligibility_rule"))
    )
    op.create_table("fund",
    sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("name_en", sa.Text(), nullable=False),
    sa.Column("purpose", sa.Text(), nullable=False),
    sa.Column("purpose_en", sa.Text(), nullable=False),
    sa.Column("target_cards", sa.Integer(), nullable=False),
    sa.Column("months", sa.Integer(), nullable=False),
    sa.Column("opens_on", sa.Date(), nullable=False),
    sa.Column("closes_on", sa.Date(), nullable=True),
    sa.Column("distribution_ended_on", sa.Date(), nullable=True),
    sa.Column("bank_bin", sa.Text(), nullable=False),
    sa.Column("bank_account", sa.Text(), nullable=False),
    sa.Column("bank_holder", sa.Text(), nullable=False),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("number", name=op.f("pk_fund"))
    )
    op.create_table("fund_publication",
    sa.Column("fund", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("fund", "kind", name=op.f("pk_fund_publication"))
    )
    op.create_table("handover",
    sa.Column("entry_id", sa.Text(), nullable=False),
    sa.Column("worker_id", sa.Text(), nullable=False),
    sa.Column("allocation_id", sa.Text(), nullable=False),
    sa.Column("person_id", sa.Text(), nullable=False),
    sa.Column("proof", sa.Text(), nullable=False),
    sa.Column("sealed", sa.Text(), nullable=True),
    sa.Column("upper_ms", sa.BigInteger(), nullable=False),
    sa.Column("business_day", sa.Date(), nullable=False),
    sa.Column("received_ms", sa.BigInteger(), nullable=False),
    sa.Column("voided_by", sa.Text(), nullable=True),
    sa.Column("voided_on", sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_handover"))
    )
    op.create_index("ix_handover_allocation", "handover", ["allocation_id"], unique=False)
    op.create_table("nomination",
    sa.Column("entry_id", sa.Text(), nullable=False),
    sa.Column("worker_id", sa.Text(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("pool", sa.Text(), nullable=False),
    sa.Column("person_id", sa.Text(), nullable=False),
    sa.Column("evidence", sa.Text(), nullable=False),
    sa.Column("sealed", sa.Text(), nullable=True),
    sa.Column("consent_id", sa.Text(), nullable=False),
    sa.Column("member", sa.Integer(), nullable=True),
    sa.Column("area_key", sa.Text(), nullable=False),
    sa.Column("upper_ms", sa.BigInteger(), nullable=False),
    sa.Column("business_day", sa.Date(), nullable=False),
    sa.Column("received_ms", sa.BigInteger(), nullable=False),
    sa.Column("voided_by", sa.Text(), nullable=True),
    sa.Column("voided_on", sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_nomination"))
    )
    op.create_index("ix_nomination_fund", "nomination", ["fund"], unique=False)
    op.create_index("ix_nomination_person", "nomination", ["person_id"], unique=False)
    op.create_table("nomination_decision",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("nomination_id", sa.Text(), nullable=False),
    sa.Column("decision", sa.Text(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    sa.Column("reason", sa.Text(), nullable=True),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_nomination_decision"))
    )
    op.create_index(op.f("ix_nomination_decision_nomination_id"), "nomination_decision", ["nomination_id"], unique=False)
    op.create_table("office_donation",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("bucket", sa.Text(), nullable=False),
    sa.Column("donor_class", sa.Text(), nullable=False),
    sa.Column("sealed", sa.Text(), nullable=True),
    sa.Column("channel", sa.Text(), nullable=False),
    sa.Column("amount_vnd", sa.BigInteger(), nullable=False),
    sa.Column("day", sa.Date(), nullable=False),
    sa.Column("pledge_id", sa.Text(), nullable=True),
    sa.Column("corrects", sa.Text(), nullable=True),
    sa.Column("reason", sa.Text(), nullable=True),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.Column("reversed_by", sa.Text(), nullable=True),
    sa.Column("reversed_ms", sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_office_donation"))
    )
    op.create_index(op.f("ix_office_donation_fund"), "office_donation", ["fund"], unique=False)
    op.create_table("office_receipt",
    sa.Column("counter", sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column("donation_id", sa.Text(), nullable=False),
    sa.Column("kind", sa.Integer(), nullable=False),
    sa.Column("amount_vnd", sa.BigInteger(), nullable=False),
    sa.Column("refers", sa.BigInteger(), nullable=True),
    sa.Column("issued_at_s", sa.BigInteger(), nullable=False),
    sa.Column("token", sa.Text(), nullable=False),
    sa.Column("salt", sa.Text(), nullable=False),
    sa.Column("content_digest", sa.Text(), nullable=False),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("counter", name=op.f("pk_office_receipt"))
    )
    op.create_index(op.f("ix_office_receipt_donation_id"), "office_receipt", ["donation_id"], unique=False)
    op.create_index(op.f("ix_office_receipt_refers"), "office_receipt", ["refers"], unique=False)
    op.create_table("payout",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("amount_vnd", sa.BigInteger(), nullable=False),
    sa.Column("donation_id", sa.Text(), nullable=True),
    sa.Column("bucket", sa.Text(), nullable=True),
    sa.Column("reason", sa.Text(), nullable=True),
    sa.Column("proposed_by", sa.Text(), nullable=False),
    sa.Column("proposed_ms", sa.BigInteger(), nullable=False),
    sa.Column("approved_by", sa.Text(), nullable=True),
    sa.Column("approved_ms", sa.BigInteger(), nullable=True),
    sa.Column("cancelled_by", sa.Text(), nullable=True),
    sa.Column("cancelled_ms", sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_payout"))
    )
    op.create_index(op.f("ix_payout_fund"), "payout", ["fund"], unique=False)
    op.create_table("pledge",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("bucket", sa.Text(), nullable=False),
    sa.Column("donor_class", sa.Text(), nullable=False),
    sa.Column("sealed", sa.Text(), nullable=True),
    sa.Column("amount_vnd", sa.BigInteger(), nullable=False),
    sa.Column("made_on", sa.Date(), nullable=False),
    sa.Column("due_on", sa.Date(), nullable=True),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.Column("cancelled_by", sa.Text(), nullable=True),
    sa.Column("cancelled_ms", sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_pledge"))
    )
    op.create_index(op.f("ix_pledge_fund"), "pledge", ["fund"], unique=False)
    op.create_table("pool",
    sa.Column("code", sa.Text(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("name_en", sa.Text(), nullable=False),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("code", name=op.f("pk_pool"))
    )
    op.create_table("remittance",
    sa.Column("entry_id", sa.Text(), nullable=False),
    sa.Column("worker_id", sa.Text(), nullable=False),
    sa.Column("fund", sa.Integer(), nullable=False),
    sa.Column("destination", sa.Text(), nullable=False),
    sa.Column("amount_vnd", sa.BigInteger(), nullable=False),
    sa.Column("reference", sa.Text(), nullable=True),
    sa.Column("upper_ms", sa.BigInteger(), nullable=False),
    sa.Column("business_day", sa.Date(), nullable=False),
    sa.Column("received_ms", sa.BigInteger(), nullable=False),
    sa.Column("voided_by", sa.Text(), nullable=True),
    sa.Column("voided_on", sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_remittance"))
    )
    op.create_index("ix_remittance_fund", "remittance", ["fund", "worker_id"], unique=False)
    op.create_table("remittance_confirmation",
    sa.Column("entry_id", sa.Text(), nullable=False),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_remittance_confirmation"))
    )
    op.add_column("ledger_line", sa.Column("fund", sa.Integer(), nullable=True))
    op.add_column("ledger_line", sa.Column("bucket", sa.Text(), nullable=True))
    op.add_column("ledger_line", sa.Column("debit_cards", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("ledger_line", sa.Column("credit_cards", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_ledger_line_fund", "ledger_line", ["fund", "account", "bucket"], unique=False)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index("ix_ledger_line_fund", table_name="ledger_line")
    op.drop_column("ledger_line", "credit_cards")
    op.drop_column("ledger_line", "debit_cards")
    op.drop_column("ledger_line", "bucket")
    op.drop_column("ledger_line", "fund")
    op.drop_table("remittance_confirmation")
    op.drop_index("ix_remittance_fund", table_name="remittance")
    op.drop_table("remittance")
    op.drop_table("pool")
    op.drop_index(op.f("ix_pledge_fund"), table_name="pledge")
    op.drop_table("pledge")
    op.drop_index(op.f("ix_payout_fund"), table_name="payout")
    op.drop_table("payout")
    op.drop_index(op.f("ix_office_receipt_refers"), table_name="office_receipt")
    op.drop_index(op.f("ix_office_receipt_donation_id"), table_name="office_receipt")
    op.drop_table("office_receipt")
    op.drop_index(op.f("ix_office_donation_fund"), table_name="office_donation")
    op.drop_table("office_donation")
    op.drop_index(op.f("ix_nomination_decision_nomination_id"), table_name="nomination_decision")
    op.drop_table("nomination_decision")
    op.drop_index("ix_nomination_person", table_name="nomination")
    op.drop_index("ix_nomination_fund", table_name="nomination")
    op.drop_table("nomination")
    op.drop_index("ix_handover_allocation", table_name="handover")
    op.drop_table("handover")
    op.drop_table("fund_publication")
    op.drop_table("fund")
    op.drop_table("eligibility_rule")
    op.drop_index("ix_donation_fund", table_name="donation")
    op.drop_table("donation")
    op.drop_index("ux_bank_match_target", table_name="bank_match", sqlite_where=sa.text("undone_ms IS NULL"), postgresql_where=sa.text("undone_ms IS NULL"))
    op.drop_index("ux_bank_match_line", table_name="bank_match", sqlite_where=sa.text("undone_ms IS NULL"), postgresql_where=sa.text("undone_ms IS NULL"))
    op.drop_table("bank_match")
    op.drop_table("bank_mapping")
    op.drop_index("ix_bank_line_fund", table_name="bank_line")
    op.drop_table("bank_line")
    op.drop_table("bank_import")
    op.drop_index("ux_allocation_nomination", table_name="allocation", sqlite_where=sa.text("ended_ms IS NULL"), postgresql_where=sa.text("ended_ms IS NULL"))
    op.drop_index("ix_allocation_person", table_name="allocation")
    op.drop_index("ix_allocation_fund", table_name="allocation")
    op.drop_table("allocation")
