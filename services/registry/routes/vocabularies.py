"""Vocabularies of files: formats, dataset types, revisions and tags. All users read; administrators write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from libs.common.auth import Admin, Sees, SharedEditor
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.filters.list_filters import ListFilters
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.base import Record
from libs.common.schemas.files.repositories import RepositoryType, RepositoryTypeIn
from libs.common.schemas.files.vocabularies import (
    DataFormat,
    DataFormatIn,
    DatasetType,
    DatasetTypeIn,
    Revision,
    RevisionIn,
    Tag,
    TagIn,
)
from libs.common.schemas.pages import Paging
from libs.common.visibility import visibility as visibility_of
from services.registry.models import DatasetTypeRow, FormatRow, RepositoryTypeRow, RevisionRow, TagRow
from services.registry.operations import vocabularies as operations
from services.registry.queries import vocabularies as queries
from services.registry.queries.list_filters.vocabularies import DatasetTypeFilters, VocabularyFilters
from services.registry.queries.vocabularies import NOUNS, NamedRow

router = APIRouter(route_class=IdempotentRoute, tags=["vocabularies of files"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


@dataclass(frozen=True)
class FileVocabulary:
    """One vocabulary: its path, its table, and the shapes of its rows in responses and bodies."""

    path: str
    model: type[NamedRow]
    shape: type[Record]
    body: type[BaseModel]
    filters: type[ListFilters] = VocabularyFilters
    editors: Any = Admin  # who may create and update; administrators delete

    @property
    def noun(self) -> str:
        """Its noun with the article."""
        return f"a {NOUNS[self.model]}"


def _list(vocabulary: FileVocabulary) -> Callable[..., Any]:
    async def list_terms(
        request: Request,
        visibility: Sees,
        session: Reading,
        paging: Paging,
        filters: ListFilters,
    ) -> Page[Record]:
        conditions = filters.conditions(visibility)
        count, terms = await queries.list_terms(
            session, vocabulary.model, visibility, conditions, paging, vocabulary.shape, absolute(request, "")
        )
        return page(request, paging, count, terms)

    list_terms.__annotations__ |= {"filters": Annotated[vocabulary.filters, Query()]}
    return list_terms


def _read(vocabulary: FileVocabulary) -> Callable[..., Any]:
    async def read_term(request: Request, name: str, visibility: Sees, session: Reading) -> Record:
        return await queries.fetch_term(
            session, vocabulary.model, visibility, name, vocabulary.shape, absolute(request, "")
        )

    return read_term


def _create(vocabulary: FileVocabulary) -> Callable[..., Any]:
    async def create_term(request: Request, new: Any, by: Any, tx: Tx) -> Record:
        return await operations.save_body(
            tx, visibility_of(by), vocabulary.model, new, vocabulary.shape, absolute(request, "")
        )

    create_term.__annotations__ |= {"new": vocabulary.body, "by": vocabulary.editors}
    return create_term


def _update(vocabulary: FileVocabulary) -> Callable[..., Any]:
    async def update_term(request: Request, name: str, body: Any, by: Any, tx: Tx) -> Record:
        return await operations.save_body(
            tx, visibility_of(by), vocabulary.model, body, vocabulary.shape, absolute(request, ""), name
        )

    update_term.__annotations__ |= {"body": vocabulary.body, "by": vocabulary.editors}
    return update_term


def _delete(vocabulary: FileVocabulary) -> Callable[..., Any]:
    async def delete_term(name: str, _by: Admin, tx: Tx, options: Deleting) -> Response:
        deletion = await operations.delete_term(tx, vocabulary.model, name, dry_run=options.dry_run)
        return deleted(options, deletion)

    return delete_term


def add_routes(to: APIRouter, vocabulary: FileVocabulary) -> None:
    """List, create, read, update and delete the rows of a vocabulary."""
    path, row_path, noun = vocabulary.path, f"{vocabulary.path}/{{name}}", vocabulary.noun
    name = NOUNS[vocabulary.model].replace(" ", "_")
    shape: Any = vocabulary.shape
    shows: dict[str, Any] = {"response_model": shape}
    changes: dict[str, Any] = {"responses": REFUSALS}

    def add(verb: str, at: str, route: Callable[..., Any], summary: str, **options: Any) -> None:
        route.__doc__ = summary
        to.add_api_route(at, route, name=f"{verb}_{name}", **options)

    plural = f"{noun.removeprefix('a ')}s"
    add("list", path, _list(vocabulary), f"List {plural} by name.", response_model=Page[shape])
    create = {**shows, **changes, "methods": ["POST"], "status_code": 201}
    add("create", path, _create(vocabulary), f"Create {noun}.", **create)
    add("read", row_path, _read(vocabulary), f"Read {noun}.", **shows, responses=problems(NotFound))
    for method in ("PUT", "PATCH"):
        update = {**shows, **changes, "methods": [method]}
        add(
            "update",
            row_path,
            _update(vocabulary),
            f"Update {noun}; absent fields keep their value.",
            **update,
        )
    delete = {"responses": REFUSALS | DELETED, "methods": ["DELETE"], "status_code": 204}
    add("delete", row_path, _delete(vocabulary), f"Delete {noun}; undo within 30 days.", **delete)


for _vocabulary in (
    FileVocabulary("/data-formats", FormatRow, DataFormat, DataFormatIn),
    FileVocabulary("/dataset-types", DatasetTypeRow, DatasetType, DatasetTypeIn, DatasetTypeFilters),
    FileVocabulary("/revisions", RevisionRow, Revision, RevisionIn, editors=SharedEditor),
    FileVocabulary("/tags", TagRow, Tag, TagIn),
):
    add_routes(router, _vocabulary)

REPOSITORY_TYPES = FileVocabulary(
    "/data-repository-type", RepositoryTypeRow, RepositoryType, RepositoryTypeIn
)
