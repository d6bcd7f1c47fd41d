"""Imports: runs, their rows, faults and effects, given codes, and records that wait to be seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table("import_effect",
    sa.Column("import_id", sa.Text(), nullable=False),
    sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("number", sa.Integer(), nullable=False),
    sa.Column("table_name", sa.Text(), nullable=False),
    sa.Column("row_key", sa.Text(), nullable=False),
    sa.Column("sealed", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_import_effect"))
    )
    op.create_table("import_fault",
    sa.Column("import_id", sa.Text(), nullable=False),
    sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("number", sa.Integer(), nullable=False),
    sa.Column("letter", sa.Text(), nullable=False),
    sa.Column("column", sa.Text(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_import_fault"))
    )
    op.create_table("import_row",
    sa.Column("import_id", sa.Text(), nullable=False),
    sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("fate", sa.Text(), nullable=False),
    sa.Column("sealed", sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_row"))
    )
    op.create_table("import_run",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("sheet", sa.Text(), nullable=False),
    sa.Column("file_name", sa.Text(), nullable=False),
    sa.Column("file_sha256", sa.Text(), nullable=False),
    sa.Column("state", sa.Text(), nullable=False),
    sa.Column("code", sa.Text(), nullable=True),
    sa.Column("rows", sa.Integer(), nullable=False),
    sa.Column("added", sa.Integer(), nullable=False),
    sa.Column("changed", sa.Integer(), nullable=False),
    sa.Column("unchanged", sa.Integer(), nullable=False),
    sa.Column("faults", sa.Integer(), nullable=False),
    sa.Column("next_number", sa.Integer(), nullable=False),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("worker_id", sa.Text(), nullable=True),
    sa.Column("checked_ms", sa.BigInteger(), nullable=False),
    sa.Column("applied_ms", sa.BigInteger(), nullable=True),
    sa.Column("undone_ms", sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run"))
    )
    op.create_index("ix_import_run_checked_ms", "import_run", ["checked_ms"], unique=False)
    op.create_index("ix_import_run_state", "import_run", ["state"], unique=False)
    op.create_table("sheet_code",
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("code_index", sa.Text(), nullable=False),
    sa.Column("sealed", sa.Text(), nullable=False),
    sa.Column("target_id", sa.Text(), nullable=False),
    sa.Column("import_id", sa.Text(), nullable=False),
    sa.Column("number", sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint("kind", "code_index", name=op.f("pk_sheet_code"))
    )
    op.create_index("ix_sheet_code_import", "sheet_code", ["import_id"], unique=False)
    op.create_index("ix_sheet_code_target_id", "sheet_code", ["target_id"], unique=False)
    op.create_table("staged_record",
    sa.Column("record_type", sa.Text(), nullable=False),
    sa.Column("record_id", sa.Text(), nullable=False),
    sa.Column("batch", sa.Text(), nullable=False),
    sa.Column("scope", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("record_type", "record_id", name=op.f("pk_staged_record"))
    )
    op.create_index("ix_staged_record_batch", "staged_record", ["batch", "scope"], unique=False)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index("ix_staged_record_batch", table_name="staged_record")
    op.drop_table("staged_record")
    op.drop_index("ix_sheet_code_target_id", table_name="sheet_code")
    op.drop_index("ix_sheet_code_import", table_name="sheet_code")
    op.drop_table("sheet_code")
    op.drop_index("ix_import_run_state", table_name="import_run")
    op.drop_index("ix_import_run_checked_ms", table_name="import_run")
    op.drop_table("import_run")
    op.drop_table("import_row")
    op.drop_table("import_fault")
    op.drop_table("import_effect")
