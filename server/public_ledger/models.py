"""Table of the ledger's daily roots. A restore brings them back from the desk journal."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class LedgerRoot(Base):
    """What the funds' ledger came to at the end of a day: `root` chains every line up to then.

    Roots are numbered from 1 in each epoch. `statement` is the signed text (server.public_ledger.roots).
    """

    __tablename__ = "ledger_root"
    epoch: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date)
    line_count: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[str] = mapped_column(Text)
    statement: Mapped[str] = mapped_column(Text)
    kid: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(Text)
    at_ms: Mapped[int] = mapped_column(BigInteger)
