"""Changes of what users may see."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base


class RightsChangeRow(Base):
    """A change of what users may see, made in the transaction that added the row.

    Triggers of the migration `rights_changes` add them, so that every write to the tables is covered: projects, their
    users, sessions and subjects, and the lab and deletion of sessions and subjects. What others cache of a caller's
    visible rows carries the newest number, read in the same request. The last 10,000 rows are kept.
    """

    __tablename__ = "rights_changes"
    seq: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
