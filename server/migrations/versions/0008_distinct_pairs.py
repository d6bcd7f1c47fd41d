"""Pairs of records that are no duplicates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table("distinct_pair",
    sa.Column("record_type", sa.Text(), nullable=False),
    sa.Column("first_id", sa.Text(), nullable=False),
    sa.Column("other_id", sa.Text(), nullable=False),
    sa.Column("decided_by", sa.Text(), nullable=False),
    sa.Column("decided_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("record_type", "first_id", "other_id", name=op.f("pk_distinct_pair"))
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("distinct_pair")
