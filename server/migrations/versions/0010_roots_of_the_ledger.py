"""Daily roots of the funds' ledger, and its lines in the order in which they were posted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table("ledger_root",
    sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("day", sa.Date(), nullable=False),
    sa.Column("line_count", sa.BigInteger(), nullable=False),
    sa.Column("root", sa.Text(), nullable=False),
    sa.Column("statement", sa.Text(), nullable=False),
    sa.Column("kid", sa.Text(), nullable=False),
    sa.Column("signature", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("epoch", "number", name=op.f("pk_ledger_root"))
    )
    op.create_index("ix_ledger_line_posted", "ledger_line", ["fund", "posted_ms"], unique=False, sqlite_where=sa.text("fund IS NOT NULL"), postgresql_where=sa.text("fund IS NOT NULL"))


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index("ix_ledger_line_posted", table_name="ledger_line", sqlite_where=sa.text("fund IS NOT NULL"), postgresql_where=sa.text("fund IS NOT NULL"))
    op.drop_table("ledger_root")
