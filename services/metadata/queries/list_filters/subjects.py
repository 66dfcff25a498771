"""Filters of the list of subjects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.db.naming import has_any_id_or_name
from libs.common.filters.list_filters import (
    FreeFilter,
    ListFilters,
    Refused,
    Where,
    WhereTrue,
    WhereVisible,
    is_named,
    parameter,
)
from libs.common.filters.parameters import Choices, CommaList, Day, Text, Truth, UuidText
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    LabRow,
    LineRow,
    LitterRow,
    ProjectRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
    ZygosityRow,
)
from services.metadata.queries import visible
from services.metadata.queries.django_filters.subjects import SUBJECT_MAP
from services.metadata.queries.list_filters.texts import TERMS, SearchTerms, has_subject_terms
from services.metadata.queries.list_filters.users import is_user
from services.metadata.queries.subselects import Source, Species, Strain


def is_alive() -> Condition:
    """The subject has not died yet."""
    return sa.or_(SubjectRow.death_date.is_(None), SubjectRow.death_date > sa.func.current_date())


def has_open_restriction() -> Condition:
    """The subject has a water restriction without an end."""
    return sa.exists().where(
        ActionRow.kind == ActionKind.WATER_RESTRICTION,
        ActionRow.subject_id == SubjectRow.id,
        ActionRow.end_at.is_(None),
        ActionRow.deleted_at.is_(None),
    )


def _is_water_restricted(is_restricted: bool) -> Condition:
    return sa.and_(is_alive(), has_open_restriction() if is_restricted else ~has_open_restriction())


def _has_allele(name: str) -> Condition:
    allele = sa.orm.aliased(VocabularyRow)
    called = sa.or_(is_named(allele.name, allele.id, name), allele.nickname == name)
    return sa.exists().where(
        ZygosityRow.subject_id == SubjectRow.id, ZygosityRow.allele_id == allele.id, called
    )


def _has_alleles(names: Sequence[str]) -> Condition:
    return sa.and_(*(_has_allele(name) for name in names))


def _is_in_projects(visibility: Visibility, names: Sequence[str]) -> Condition:
    return sa.and_(
        *(
            sa.exists().where(
                SubjectProjectRow.subject_id == SubjectRow.id,
                SubjectProjectRow.project_id == ProjectRow.id,
                is_named(ProjectRow.name, ProjectRow.id, name),
                visible.is_project_visible(visibility),
            )
            for name in names
        )
    )


def _is_called(names: Sequence[str]) -> Condition:
    return has_any_id_or_name(SubjectRow.id, SubjectRow.nickname, names)


class SubjectFilters(ListFilters):
    """Filters of the list of subjects."""

    actual_severity: Annotated[Text, Refused()] = parameter("Refused: severities are not stored.")
    adverse_effects: Annotated[Text, Refused()] = parameter("Refused: adverse effects are not stored.")
    alive: Annotated[Truth, WhereTrue(is_alive())] = parameter("true: alive; false: dead.")
    birth_date: Annotated[Day, Where(lambda day: SubjectRow.birth_date == day)] = parameter("Day of birth.")
    cage: Annotated[Text, Refused()] = parameter("Refused: cages are not stored.")
    death_date: Annotated[Day, Where(lambda day: SubjectRow.death_date == day)] = parameter("Day of death.")
    description: Annotated[Text, Where(lambda text: SubjectRow.description == text)] = parameter(
        "Description."
    )
    django: Annotated[Text, FreeFilter(SUBJECT_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    ear_mark: Annotated[Text, Refused()] = parameter("Refused: ear marks are not stored.")
    genotype: Annotated[CommaList, Where(_has_alleles)] = parameter(
        "Names or ids of alleles of which the zygosity is known, all of which must match."
    )
    genotype_date: Annotated[Text, Refused()] = parameter("Refused: days of genotyping are not stored.")
    genotype_test: Annotated[Text, Refused()] = parameter("Refused: tests of sequences are not stored.")
    id: Annotated[UuidText, Where(lambda subject_id: SubjectRow.id == subject_id)] = parameter("Id.")
    json_: Annotated[Text, FreeFilter(SUBJECT_MAP)] = parameter(
        "Free filter on the JSON field, `path,value,…`, or all of it as an object.", alias="json"
    )
    lab: Annotated[Choices, Where(LabRow.name.in_)] = parameter(
        "Name of the lab, or several with commas between."
    )
    line: Annotated[Text, Where(lambda text: is_named(LineRow.name, LineRow.id, text))] = parameter(
        "Name or id of the breeding line."
    )
    litter: Annotated[Text, Where(lambda text: is_named(LitterRow.name, LitterRow.id, text))] = parameter(
        "Name or id of the litter."
    )
    name: Annotated[Text, Refused()] = parameter("Refused: the name of a subject is its `nickname`.")
    nickname: Annotated[Choices, Where(_is_called)] = parameter(
        "Nickname or id, or several with commas between."
    )
    project: Annotated[Text, WhereVisible(lambda visibility, name: _is_in_projects(visibility, [name]))] = (
        parameter("Name or id of a project of the subject.")
    )
    projects: Annotated[CommaList, WhereVisible(_is_in_projects)] = parameter(
        "Names or ids of projects of the subject, all of which must match."
    )
    protocol_number: Annotated[Text, Refused()] = parameter("Refused: protocol numbers are not stored.")
    reduced_date: Annotated[Text, Refused()] = parameter("Refused: days of reduction are not stored.")
    request: Annotated[Text, Refused()] = parameter("Refused: requests for subjects are not stored.")
    responsible_user: Annotated[Text, Where(is_user)] = parameter("Username or id of the responsible user.")
    search: Annotated[SearchTerms, Where(has_subject_terms)] = parameter(
        f"{TERMS}: nickname, description, notes, and names of lab and responsible user are searched."
    )
    sex: Annotated[Text, Where(lambda sex: SubjectRow.sex == sex)] = parameter("M, F or U.")
    source: Annotated[Text, Where(lambda text: is_named(Source.name, Source.id, text))] = parameter(
        "Name or id of the source."
    )
    species: Annotated[Text, Where(lambda text: is_named(Species.name, Species.id, text))] = parameter(
        "Name or id of the species."
    )
    stock: Annotated[Truth, WhereTrue(UserRow.is_stock_manager.is_(True))] = parameter(
        "true: the responsible user is a stock manager; false: another user."
    )
    strain: Annotated[Text, Where(lambda text: is_named(Strain.name, Strain.id, text))] = parameter(
        "Name or id of the strain."
    )
    to_be_culled: Annotated[Text, Refused()] = parameter("Refused: planned culls are not stored.")
    to_be_genotyped: Annotated[Text, Refused()] = parameter("Refused: planned genotyping is not stored.")
    water_restricted: Annotated[Truth, Where(_is_water_restricted)] = parameter(
        "true: alive with an open water restriction; false: alive without one."
    )
    wean_date: Annotated[Text, Refused()] = parameter("Refused: days of weaning are not stored.")
