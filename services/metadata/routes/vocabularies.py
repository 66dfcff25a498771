"""Vocabularies: lists of terms by name. Signed-in users read them, editors add terms."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from libs.common.auth import Reader, SharedEditor
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.vocabularies import Term, TermIn
from services.metadata.operations import vocabularies as operations
from services.metadata.queries import vocabularies as queries
from services.metadata.queries.references import Vocabulary

router = APIRouter(route_class=IdempotentRoute, tags=["vocabularies"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


def _add_vocabulary(path: str, kind: Vocabulary, noun: str, plural: str) -> None:
    """Add the routes of one vocabulary: list, add and read terms."""

    async def list_terms(request: Request, _by: Reader, session: Reading, paging: Paging) -> Page[Term]:
        count, terms = await queries.list_terms(session, kind, paging, absolute(request, path))
        return page(request, paging, count, terms)

    async def add_term(request: Request, new: TermIn, _by: SharedEditor, tx: Tx) -> Term:
        name = await operations.add_term(tx, kind, new)
        return await queries.fetch_term(tx.session, kind, name, absolute(request, path))

    async def read_term(request: Request, name: str, _by: Reader, session: Reading) -> Term:
        return await queries.fetch_term(session, kind, name, absolute(request, path))

    list_terms.__doc__ = f"List {plural} by name."
    add_term.__doc__ = f"Create {noun}."
    read_term.__doc__ = f"Read {noun}."
    router.add_api_route(path, list_terms, methods=["GET"])
    router.add_api_route(path, add_term, methods=["POST"], status_code=201, responses=REFUSALS)
    router.add_api_route(f"{path}/{{name}}", read_term, methods=["GET"])


for _path, _kind, _noun, _plural in (
    ("/procedures", Vocabulary.PROCEDURE, "a procedure", "procedures"),
    ("/water-type", Vocabulary.WATER_TYPE, "a water type", "water types"),
    ("/species", Vocabulary.SPECIES, "a species", "species"),
    ("/strains", Vocabulary.STRAIN, "a strain", "strains"),
    ("/sources", Vocabulary.SOURCE, "a source", "sources"),
    ("/alleles", Vocabulary.ALLELE, "an allele", "alleles"),
    (
        "/probe-models",
        Vocabulary.PROBE_MODEL,
        "a probe model; its nickname is the part number",
        "probe models",
    ),
    ("/coordinate-systems", Vocabulary.COORDINATE_SYSTEM, "a coordinate system", "coordinate systems"),
    ("/imaging-types", Vocabulary.IMAGING_TYPE, "an imaging type", "imaging types"),
):
    _add_vocabulary(_path, _kind, _noun, _plural)
