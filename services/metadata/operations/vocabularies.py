"""Terms of vocabularies: add one, and those that a new system has.

A new system has Alyx's names and ids, so that data can be moved between both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from libs.common.db import Transaction, rows
from libs.common.db.stored_fields import StoredFields
from libs.common.schemas.names import check_new_plain_name
from libs.common.schemas.vocabularies import TermIn
from services.metadata import models
from services.metadata.domain.subjects import USUAL_SPECIES
from services.metadata.models import VocabularyRow
from services.metadata.queries import vocabularies as queries
from services.metadata.queries.references import Vocabulary

_FILE = Path(models.__file__).parent / "vocabularies.json"
# Their nomenclature has slashes, as in C57BL/6J; addresses then have the id.
_WITH_SLASHES: Final = frozenset({Vocabulary.STRAIN, Vocabulary.ALLELE})
_STORED: Final = StoredFields(TermIn, VocabularyRow, handled=())
# Alyx's clients name a mouse's species by its common name, the default; files such as NWB need the Latin one.
_SPECIES: Final = (
    {"id": "5f8b5b0c-4a0e-4b0b-9b57-0d3f0a1d7c11", "name": "Mus musculus", "nickname": "Laboratory mouse"},
    {"id": "c6f1c3a4-6a53-4c39-9c2b-6f0a4e0f1d52", "name": USUAL_SPECIES, "nickname": "Mus musculus"},
)


async def add_term(tx: Transaction, kind: Vocabulary, body: TermIn) -> str:
    """Add a term to a vocabulary; returns its name. Raises BadRequest and Conflict."""
    if kind not in _WITH_SLASHES:
        check_new_plain_name("name", body.name)
    await rows.refuse_duplicate(tx.session, VocabularyRow.name, body.name, within={"kind": kind})
    term = VocabularyRow(id=uuid4(), kind=kind, **_STORED.values(body))
    await rows.create_row(tx, kind, term, {"name": body.name})
    return body.name


async def load_vocabularies(tx: Transaction) -> None:
    """Add the terms that do not exist yet; terms that users changed stay as they are."""
    vocabularies = json.loads(_FILE.read_text()) | {Vocabulary.SPECIES: _SPECIES}
    terms = [
        {
            "kind": kind,
            "id": UUID(term["id"]),
            "name": term["name"],
            "nickname": term.get("nickname", ""),
            "description": term.get("description", ""),
        }
        for kind, terms_of_kind in vocabularies.items()
        for term in terms_of_kind
    ]
    await queries.insert_terms(tx.session, terms)
