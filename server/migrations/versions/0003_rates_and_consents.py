"""Rates and consents"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "rate",
        sa.Column("rate_table", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rate_table", "valid_from", name=op.f("pk_rate")),
    )
    op.add_column("enrolment", sa.Column("expected_vnd", sa.BigInteger(), nullable=True))
    op.add_column("enrolment", sa.Column("member", sa.Integer(), nullable=True))
    op.add_column("enrolment", sa.Column("household_id", sa.Text(), nullable=True))
    op.create_index("ix_enrolment_household_id", "enrolment", ["household_id"])
    op.add_column("person", sa.Column("consents", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_column("person", "consents")
    op.drop_index("ix_enrolment_household_id", "enrolment")
    op.drop_column("enrolment", "household_id")
    op.drop_column("enrolment", "member")
    op.drop_column("enrolment", "expected_vnd")
    op.drop_table("rate")
