"""The sync engine"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "adjustment",
        sa.Column("statement", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("posting", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("dated_day", sa.Date(), nullable=False),
        sa.Column("posted_ms", sa.BigInteger(), nullable=False),
        sa.Column("posted_by", sa.Text(), nullable=False),
        sa.Column("carried_in", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "statement", "indicator", "holder_kind", "holder", "posting", name=op.f("pk_adjustment")
        ),
    )
    op.create_table(
        "backup_mark",
        sa.Column("backup_id", sa.Text(), nullable=False),
        sa.Column("installation_id", sa.Text(), nullable=False),
        sa.Column("acked_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("backup_id", "installation_id", name=op.f("pk_backup_mark")),
    )
    op.create_table(
        "desk_backlog",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_desk_backlog")),
    )
    op.create_table(
        "desk_record",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_desk_record")),
    )
    op.create_table(
        "journal_hole",
        sa.Column("installation_id", sa.Text(), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("floor_seq", sa.BigInteger(), nullable=False),
        sa.Column("floor_digest", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("installation_id", "from_seq", name=op.f("pk_journal_hole")),
    )
    op.create_table(
        "statement",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign", sa.BigInteger(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("accepted_ms", sa.BigInteger(), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("installations", sa.BigInteger(), nullable=False),
        sa.Column("outstanding", sa.BigInteger(), nullable=False),
        sa.Column("unsettled", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_statement")),
    )
    op.create_index("ix_statement_campaign_to_day", "statement", ["campaign", "to_day"], unique=True)
    op.create_table(
        "statement_line",
        sa.Column("statement", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("carried", sa.BigInteger(), nullable=False),
        sa.Column("quota_initial", sa.BigInteger(), nullable=True),
        sa.Column("quota_supplementary", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "statement", "indicator", "holder_kind", "holder", name=op.f("pk_statement_line")
        ),
    )
    op.create_table(
        "verified_backup",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verified_backup")),
    )
    op.create_table(
        "write_off",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("installation_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_ms", sa.BigInteger(), nullable=False),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_ms", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_off")),
    )
    op.create_index("ix_write_off_installation_id", "write_off", ["installation_id"], unique=False)
    op.drop_index("ix_clock_mark_installation_id", table_name="clock_mark")
    op.create_index(
        "ix_clock_mark_boot",
        "clock_mark",
        ["installation_id", "boot", "server_ms", "id", "monotonic_ms"],
        unique=False,
    )
    op.create_index(
        "ix_clock_mark_head_seq",
        "clock_mark",
        ["installation_id", "head_seq", "server_ms", "id"],
        unique=False,
    )
    op.add_column("edit_conflict", sa.Column("resolved_by", sa.Text(), nullable=True))
    op.add_column("edit_conflict", sa.Column("resolved_ms", sa.BigInteger(), nullable=True))
    op.create_index("ix_edit_conflict_state", "edit_conflict", ["state", "found_ms"], unique=False)
    _add_wire_rows()
    op.add_column("household", sa.Column("merged_into", sa.Text(), nullable=True))
    op.add_column("household", sa.Column("merged_by", sa.Text(), nullable=True))
    op.add_column("household", sa.Column("cluster_id", sa.Text(), nullable=True))
    op.drop_index(op.f("ix_household_area_key"), table_name="household")
    op.create_index("ix_household_area_key", "household", ["area_key", "head_name_key"], unique=False)
    op.create_index("ix_household_cluster_id", "household", ["cluster_id"], unique=False)
    op.create_index("ix_household_merged_by", "household", ["merged_by"], unique=False)
    op.create_index("ix_household_phone_index", "household", ["phone_index"], unique=False)
    op.add_column("incident", sa.Column("detail", sa.Text(), nullable=True))
    op.add_column("installation", sa.Column("delivered_ms", sa.BigInteger(), nullable=True))
    op.add_column("installation", sa.Column("revoked_ms", sa.BigInteger(), nullable=True))
    op.add_column("installation", sa.Column("written_off_ms", sa.BigInteger(), nullable=True))
    op.add_column("installation", sa.Column("first_received_seq", sa.BigInteger(), nullable=True))
    op.add_column("installation", sa.Column("first_received_ms", sa.BigInteger(), nullable=True))
    op.add_column("outcome", sa.Column("flags", sa.Text(), server_default="[]", nullable=False))
    op.add_column("outcome", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("outcome", sa.Column("returned_ms", sa.BigInteger(), nullable=True))
    op.add_column("outcome", sa.Column("corrected_by", sa.Text(), nullable=True))
    op.add_column("person", sa.Column("merged_into", sa.Text(), nullable=True))
    op.add_column("person", sa.Column("merged_by", sa.Text(), nullable=True))
    op.add_column("person", sa.Column("cluster_id", sa.Text(), nullable=True))
    op.create_index("ix_person_cluster_id", "person", ["cluster_id"], unique=False)
    op.create_index("ix_person_merged_by", "person", ["merged_by"], unique=False)


def _add_wire_rows() -> None:
    """Let each row of a feed hold how it travels: spelled here for the rows that are there already."""
    quoted = "to_json({}::text)::text" if op.get_bind().dialect.name == "postgresql" else "json_quote({})"
    op.add_column("feed", sa.Column("wire_row", sa.Text(), server_default="", nullable=False))
    op.execute(
        f"""
        UPDATE feed SET wire_row = '{{"scope":' || {quoted.format("scope")} || ',"seq":' || seq
        || ',"type":"' || record_type || '","id":' || {quoted.format("record_id")}
        || ',"version":' || version || ',"op":"' || op || '","row_hash":"' || row_hash || '","record":'
        || CASE WHEN op = 'put' THEN coalesce((
            SELECT record.wire_json FROM record
            WHERE record.record_type = feed.record_type AND record.record_id = feed.record_id
        ), 'null') ELSE 'null' END || '}}'
        """  # noqa: S608 - names of ours alone
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index("ix_person_merged_by", table_name="person")
    op.drop_index("ix_person_cluster_id", table_name="person")
    op.drop_column("person", "cluster_id")
    op.drop_column("person", "merged_by")
    op.drop_column("person", "merged_into")
    op.drop_column("outcome", "corrected_by")
    op.drop_column("outcome", "returned_ms")
    op.drop_column("outcome", "reason")
    op.drop_column("outcome", "flags")
    op.drop_column("installation", "first_received_ms")
    op.drop_column("installation", "first_received_seq")
    op.drop_column("installation", "written_off_ms")
    op.drop_column("installation", "revoked_ms")
    op.drop_column("installation", "delivered_ms")
    op.drop_column("incident", "detail")
    op.drop_index("ix_household_phone_index", table_name="household")
    op.drop_index("ix_household_merged_by", table_name="household")
    op.drop_index("ix_household_cluster_id", table_name="household")
    op.drop_index("ix_household_area_key", table_name="household")
    op.create_index(op.f("ix_household_area_key"), "household", ["area_key"], unique=False)
    op.drop_column("household", "cluster_id")
    op.drop_column("household", "merged_by")
    op.drop_column("household", "merged_into")
    op.drop_index("ix_edit_conflict_state", table_name="edit_conflict")
    op.drop_column("edit_conflict", "resolved_ms")
    op.drop_column("edit_conflict", "resolved_by")
    op.drop_column("feed", "wire_row")
    op.drop_index("ix_clock_mark_head_seq", table_name="clock_mark")
    op.drop_index("ix_clock_mark_boot", table_name="clock_mark")
    op.create_index("ix_clock_mark_installation_id", "clock_mark", ["installation_id"], unique=False)
    op.drop_index("ix_write_off_installation_id", table_name="write_off")
    op.drop_table("write_off")
    op.drop_table("verified_backup")
    op.drop_table("statement_line")
    op.drop_index("ix_statement_campaign_to_day", table_name="statement")
    op.drop_table("statement")
    op.drop_table("journal_hole")
    op.drop_table("desk_record")
    op.drop_table("desk_backlog")
    op.drop_table("backup_mark")
    op.drop_table("adjustment")
