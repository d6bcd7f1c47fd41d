"""Tables of imports: each run, its rows while they wait, what is wrong with them, what they did."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class ImportRun(Base):
    """One sheet that somebody gave to the office.

    `state` is checked, applying, applied, failed (then with a `code`) or undone. `next_number` is the
    first row that is not written yet, while it is being applied.
    """

    __tablename__ = "import_run"
    __table_args__ = (Index("ix_import_run_checked_ms", "checked_ms"), Index("ix_import_run_state", "state"))
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    sheet: Mapped[str] = mapped_column(Text)
    file_name: Mapped[str] = mapped_column(Text)
    file_sha256: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(Integer)
    added: Mapped[int] = mapped_column(Integer)
    changed: Mapped[int] = mapped_column(Integer)
    unchanged: Mapped[int] = mapped_column(Integer)
    faults: Mapped[int] = mapped_column(Integer)
    next_number: Mapped[int] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(Text)
    worker_id: Mapped[str | None] = mapped_column(Text)
    checked_ms: Mapped[int] = mapped_column(BigInteger)
    applied_ms: Mapped[int | None] = mapped_column(BigInteger)
    undone_ms: Mapped[int | None] = mapped_column(BigInteger)


class ImportRow(Base):
    """A row of a sheet that was checked and is not applied yet, sealed; `fate` is add, change or keep."""

    __tablename__ = "import_row"
    import_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    fate: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ImportFault(Base):
    """One thing that is wrong with a cell (or, without a column, with a row or the sheet)."""

    __tablename__ = "import_fault"
    import_id: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer)
    letter: Mapped[str] = mapped_column(Text)
    column: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)


class ImportEffect(Base):
    """A row of the office that an import put or set: what it was before and is after, sealed."""

    __tablename__ = "import_effect"
    import_id: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer)
    table_name: Mapped[str] = mapped_column(Text)
    row_key: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str] = mapped_column(Text)


class SheetCode(Base):
    """The code by which sheets name a worker, a team or a household: found by its blind index."""

    __tablename__ = "sheet_code"
    __table_args__ = (
        Index("ix_sheet_code_target_id", "target_id"),
        Index("ix_sheet_code_import", "import_id"),
    )
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    code_index: Mapped[str] = mapped_column(Text, primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    target_id: Mapped[str] = mapped_column(Text)
    import_id: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(Integer)
