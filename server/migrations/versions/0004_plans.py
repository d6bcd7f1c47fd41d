"""Plans as trees: decisions, parents, phases, minimums"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PLAN_COLUMNS = (
    ("decision_number", sa.Text),
    ("decision_day", sa.Date),
    ("effective_from", sa.Date),
    ("effective_ms", sa.BigInteger),
    ("may_over_assign", sa.Boolean),
    ("shown_ms", sa.BigInteger),
)


def upgrade() -> None:
    """Bring the tables to this revision."""
    for name, kind in _PLAN_COLUMNS:
        op.add_column("plan", sa.Column(name, kind(), nullable=True))
    # Every plan so far was shown to tablets when it was adopted.
    op.execute("UPDATE plan SET shown_ms = created_ms")
    for name in ("parent_kind", "parent", "phases"):
        op.add_column("quota", sa.Column(name, sa.Text(), nullable=True))
    for name in ("quota_low", "quota_high", "quoted_done"):
        op.add_column("quoted_ratio", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_table(
        "plan_phase",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "code", name=op.f("pk_plan_phase")),
    )
    op.create_table(
        "plan_minimum",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_vi", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "code", name=op.f("pk_plan_minimum")),
    )
    op.create_table(
        "plan_minimum_part",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at_least", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "code", "indicator", name=op.f("pk_plan_minimum_part")),
    )
    op.create_table(
        "plan_minimum_holder",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "plan_id", "code", "holder_kind", "holder", name=op.f("pk_plan_minimum_holder")
        ),
    )


def downgrade() -> None:
    """Take this revision back."""
    for name in ("plan_minimum_holder", "plan_minimum_part", "plan_minimum", "plan_phase"):
        op.drop_table(name)
    for name in ("quoted_done", "quota_high", "quota_low"):
        op.drop_column("quoted_ratio", name)
    for name in ("phases", "parent", "parent_kind"):
        op.drop_column("quota", name)
    for name, _kind in reversed(_PLAN_COLUMNS):
        op.drop_column("plan", name)
