"""The insurer's numbers beside our receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table("official_number",
    sa.Column("id", sa.Text(), nullable=False),
    sa.Column("installation", sa.BigInteger(), nullable=False),
    sa.Column("counter", sa.BigInteger(), nullable=False),
    sa.Column("content_digest", sa.Text(), nullable=False),
    sa.Column("series", sa.Text(), nullable=True),
    sa.Column("number", sa.Text(), nullable=True),
    sa.Column("number_value", sa.BigInteger(), nullable=True),
    sa.Column("reason", sa.Text(), nullable=True),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("at_ms", sa.BigInteger(), nullable=False),
    sa.Column("superseded_by", sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_official_number"))
    )
    standing = sa.text("superseded_by IS NULL")
    op.create_index(
        "ux_official_number_receipt",
        "official_number",
        ["installation", "counter", "content_digest"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.create_index(
        "ux_official_number_value",
        "official_number",
        ["series", "number_value"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index("ux_official_number_value", table_name="official_number")
    op.drop_index("ux_official_number_receipt", table_name="official_number")
    op.drop_table("official_number")
