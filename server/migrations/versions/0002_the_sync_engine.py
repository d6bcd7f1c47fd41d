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
        "desk_record",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_desk_record")),
    )
    op.add_column("outcome", sa.Column("flags", sa.Text(), server_default="[]", nullable=False))
    op.add_column("outcome", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("outcome", sa.Column("returned_ms", sa.BigInteger(), nullable=True))
    op.add_column("outcome", sa.Column("corrected_by", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("outcome", "corrected_by")
    op.drop_column("outcome", "returned_ms")
    op.drop_column("outcome", "reason")
    op.drop_column("outcome", "flags")
    op.drop_table("desk_record")
