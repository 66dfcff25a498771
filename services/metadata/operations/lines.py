"""Breeding lines."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from libs.common.db import Transaction
from libs.common.db.links import set_links
from libs.common.db.rows import create_row, refuse_duplicate
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import SHARED, Principal, Target
from libs.common.schemas.lines import Line, LineIn
from libs.common.visibility import Visibility
from services.metadata.domain.rights import check_may_write_in_lab
from services.metadata.models import LabRow, LineRow
from services.metadata.operations.relations import ALLELES_OF_LINE
from services.metadata.queries import references
from services.metadata.queries.lines import fetch_line
from services.metadata.queries.references import Vocabulary

_STORED: Final = StoredFields(LineIn, LineRow, handled={"strain", "lab", "alleles"})


async def create_line(tx: Transaction, by: Principal, visibility: Visibility, body: LineIn) -> Line:
    """Create a breeding line; that of a lab is created by the members of the lab."""
    await refuse_duplicate(tx.session, LineRow.name, body.name)
    lab_id = await references.fetch_id(tx.session, LabRow, body.lab, "lab")
    check_may_write_in_lab(by, SHARED if lab_id is None else Target(lab_id), body.lab)
    strain_id = await references.fetch_term_id(tx.session, Vocabulary.STRAIN, body.strain, "strain")
    row = LineRow(id=uuid4(), **_STORED.values(body), strain_id=strain_id, lab_id=lab_id)
    await create_row(tx, "line", row, {"name": body.name})
    ids = await references.fetch_allele_ids(tx.session, body.alleles, "alleles")
    await set_links(tx, ALLELES_OF_LINE, "line", row.id, set(ids.values()))
    return await fetch_line(tx.session, visibility, body.name)
