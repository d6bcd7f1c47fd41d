"""The table of what a restore could not replay yet."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.database import Base


class DeskBacklog(Base):
    """A desk record that waits for a tablet to bring back what it decided on; `code` says why."""

    __tablename__ = "desk_backlog"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text)
