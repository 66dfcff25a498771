"""The words that a new system knows already: names and ids as Alyx has them, so that data can move between both."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Transaction
from services.metadata import models
from services.metadata.models import VocabularyRow
from services.metadata.queries.references import Vocabulary

_FILE = Path(models.__file__).parent / "vocabularies.json"
_MOUSE = {
    "id": "5f8b5b0c-4a0e-4b0b-9b57-0d3f0a1d7c11",
    "name": "Mus musculus",
    "nickname": "Laboratory mouse",
}


async def load_vocabularies(tx: Transaction) -> None:
    """Write down the words that are not there yet; words that people changed stay as they are."""
    words = json.loads(_FILE.read_text()) | {Vocabulary.SPECIES: [_MOUSE]}
    rows = [
        {"kind": kind, "id": UUID(word["id"]), "name": word["name"], "nickname": word.get("nickname", "")}
        for kind, found in words.items()
        for word in found
    ]
    await tx.session.execute(insert(VocabularyRow).values(rows).on_conflict_do_nothing())
