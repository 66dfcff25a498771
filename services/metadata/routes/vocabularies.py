"""Vocabularies of the house: each a list of words by name. Everybody reads; editors add."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from libs.common.auth import Reader, SharedEditor
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import paged
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.people import Term, TermIn
from services.metadata.models import VocabularyRow
from services.metadata.operations import house as operations
from services.metadata.queries import house as queries
from services.metadata.queries.references import Vocabulary

router = APIRouter(route_class=IdempotentRoute, tags=["house"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


def _vocabulary(path: str, kind: Vocabulary) -> None:
    """List and add words of one vocabulary; `/water-type/{name}` and its like read one word."""

    async def listed(request: Request, _by: Reader, read: Reading, wanted: Paging) -> Page[Term]:
        count, rows = await paged(read, queries.vocabulary(kind), wanted)
        results = [
            Term.model_validate({**row, "url": absolute(request, f"{path}/{row['name']}")}) for row in rows
        ]
        return page(request, wanted, count, results)

    async def added(request: Request, new: TermIn, _by: SharedEditor, tx: Tx) -> Term:
        name = await operations.add_term(tx, kind, new)
        row = await queries.found(tx.session, queries.vocabulary(kind), VocabularyRow.name == name, kind)
        return Term.model_validate({**row, "url": absolute(request, f"{path}/{name}")})

    async def read_one(request: Request, name: str, _by: Reader, read: Reading) -> Term:
        row = await queries.found(
            read, queries.vocabulary(kind), VocabularyRow.name == name, f"{kind} '{name}'"
        )
        return Term.model_validate({**row, "url": absolute(request, f"{path}/{name}")})

    listed.__doc__ = f"The words for {kind}, by name."
    added.__doc__ = f"Add a word for {kind}."
    read_one.__doc__ = f"One word for {kind}."
    router.add_api_route(path, listed, methods=["GET"])
    router.add_api_route(path, added, methods=["POST"], status_code=201, responses=REFUSALS)
    router.add_api_route(f"{path}/{{name}}", read_one, methods=["GET"])


for _path, _kind in (
    ("/procedures", Vocabulary.PROCEDURE),
    ("/water-type", Vocabulary.WATER_TYPE),
    ("/species", Vocabulary.SPECIES),
    ("/strains", Vocabulary.STRAIN),
    ("/sources", Vocabulary.SOURCE),
    ("/alleles", Vocabulary.ALLELE),
):
    _vocabulary(_path, _kind)
