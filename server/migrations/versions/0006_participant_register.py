"""The participant register, its baselines and rule of renewals; figures from outside."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ASSUMED = "Giả định: như khoảng gián đoạn 90 ngày của thẻ BHYT"


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table("participant",
    sa.Column("import_id", sa.Text(), nullable=False),
    sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("key_number", sa.Text(), nullable=False),
    sa.Column("scheme", sa.Text(), nullable=False),
    sa.Column("as_of", sa.Date(), nullable=False),
    sa.Column("valid_from", sa.Date(), nullable=True),
    sa.Column("valid_to", sa.Date(), nullable=False),
    sa.Column("area_key", sa.Text(), nullable=True),
    sa.Column("insurance_index", sa.Text(), nullable=True),
    sa.Column("national_index", sa.Text(), nullable=True),
    sa.Column("lapse_reason", sa.Text(), nullable=True),
    sa.Column("sealed", sa.Text(), nullable=False),
    sa.Column("superseded_by", sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_participant"))
    )
    op.create_index("ix_participant_key", "participant", ["key_number", "scheme", "as_of"], unique=False)
    op.create_index("ix_participant_national_index", "participant", ["national_index"], unique=False)
    op.create_index("ix_participant_scheme", "participant", ["scheme", "as_of"], unique=False)
    op.create_table("register_batch",
    sa.Column("import_id", sa.Text(), nullable=False),
    sa.Column("seq", sa.Integer(), nullable=False),
    sa.Column("shown_ms", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("import_id", name=op.f("pk_register_batch"))
    )
    op.create_table("register_baseline",
    sa.Column("key", sa.Text(), nullable=False),
    sa.Column("scheme", sa.Text(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("as_of", sa.Date(), nullable=False),
    sa.Column("persons", sa.BigInteger(), nullable=False),
    sa.Column("source", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("key", name=op.f("pk_register_baseline"))
    )
    windows = op.create_table("renewal_window",
    sa.Column("key", sa.Text(), nullable=False),
    sa.Column("scheme", sa.Text(), nullable=False),
    sa.Column("valid_from", sa.Date(), nullable=False),
    sa.Column("days", sa.Integer(), nullable=False),
    sa.Column("source", sa.Text(), nullable=False),
    sa.Column("is_assumption", sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint("key", name=op.f("pk_renewal_window"))
    )
    op.bulk_insert(windows, [
        {
            "key": f"{scheme}@2015-01-01",
            "scheme": scheme,
            "valid_from": date(2015, 1, 1),
            "days": 90,
            "source": _ASSUMED,
            "is_assumption": True,
        }
        for scheme in ("voluntary", "health")
    ])
    op.create_table("outside_figure",
    sa.Column("key", sa.Text(), nullable=False),
    sa.Column("figure", sa.Text(), nullable=False),
    sa.Column("area_key", sa.Text(), nullable=True),
    sa.Column("day", sa.Date(), nullable=False),
    sa.Column("value", sa.BigInteger(), nullable=True),
    sa.Column("denominator_name", sa.Text(), nullable=True),
    sa.Column("denominator_day", sa.Date(), nullable=True),
    sa.Column("denominator_low", sa.BigInteger(), nullable=True),
    sa.Column("denominator_high", sa.BigInteger(), nullable=True),
    sa.Column("is_derived", sa.Boolean(), nullable=False),
    sa.Column("quoted_percent", sa.Text(), nullable=True),
    sa.Column("source", sa.Text(), nullable=False),
    sa.Column("source_day", sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint("key", name=op.f("pk_outside_figure"))
    )


def downgrade() -> None:
    """Take this revision back."""
    for name in ("outside_figure", "renewal_window", "register_baseline", "register_batch"):
        op.drop_table(name)
    for name in ("scheme", "national_index", "key"):
        op.drop_index(f"ix_participant_{name}", table_name="participant")
    op.drop_table("participant")
