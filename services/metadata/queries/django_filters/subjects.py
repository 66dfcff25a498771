"""Fields of the free filters on subjects and their records."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all
from libs.common.visibility import Visibility
from libs.common.visible import is_subject_row_visible, is_subject_visible
from services.metadata.models import (
    ActionRow,
    LineAlleleRow,
    LineRow,
    LitterRow,
    SubjectProjectRow,
    SubjectRow,
    VocabularyRow,
    WaterAdministrationRow,
    WeighingRow,
    ZygosityRow,
)
from services.metadata.queries import visible
from services.metadata.queries.django_filters.maps import (
    clock,
    declared,
    from_many,
    of,
    texts,
    to_many,
    to_one,
    under,
)
from services.metadata.queries.django_filters.notes import notes_of
from services.metadata.queries.django_filters.people import (
    LAB_MAP,
    NAMED_USERS,
    PROJECT_MAP,
    USER_MAP,
    is_of_visible_lab,
)
from services.metadata.queries.references import Vocabulary


def _columns(row: Any) -> Any:
    return row.__table__.c


_term, _line, _litter, _subject = map(_columns, (VocabularyRow, LineRow, LitterRow, SubjectRow))
_weighing, water, _action = map(_columns, (WeighingRow, WaterAdministrationRow, ActionRow))
_subject_project, _zygosity, _line_allele = map(_columns, (SubjectProjectRow, ZygosityRow, LineAlleleRow))


def _is_visible_subject(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return sa.and_(row.deleted_at.is_(None), is_subject_row_visible(visibility, row.id, row.lab_id))


def is_of_visible_subject(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    """Records of subjects that the caller can see."""
    return sa.and_(row.deleted_at.is_(None), is_subject_visible(visibility, row.subject_id))


def _is_visible_litter(visibility: Visibility, row: Any) -> sa.ColumnElement[bool]:
    return visible.is_line_visible(visibility, row.line_id)


TERM_MAP = FieldMap("terms", VocabularyRow.__table__, {
    "id": Field(_term.id, "uuid"),
    **texts(_term, "name", "nickname", "description"),
    "json": JsonField(_term.json),
}, visible=visible_to_all)  # fmt: skip
probe_model = sa.func.coalesce(sa.func.nullif(_term.nickname, ""), _term.name)  # its part number
PROBE_MODEL_MAP = FieldMap("probe models", VocabularyRow.__table__, {
    "id": Field(_term.id, "uuid"),
    "name": Field(_term.name, "text"),
    "probe_model": Field(probe_model, "text"),
    "probe_manufacturer": Field(_term.description, "text"),
}, visible=lambda _visibility, row: row.kind == Vocabulary.PROBE_MODEL)  # fmt: skip
LINE_MAP: FieldMap = declared(FieldMap("lines", LineRow.__table__, {
    "id": Field(_line.id, "uuid"),
    **texts(_line, "name", "nickname"),
    "strain": to_one(TERM_MAP, _line.strain_id),
    "lab": to_one(LAB_MAP, _line.lab_id),
    "alleles": to_many(TERM_MAP, _line_allele.line_id, _line.id, _line_allele.allele_id),
    **under(from_many(of("subjects"), _subject, _subject.line_id, _line.id), "subject", "subjects"),
    **under(from_many(of("litters"), _litter, _litter.line_id, _line.id), "litter", "litters"),
}, visible=is_of_visible_lab))  # fmt: skip
LITTER_MAP: FieldMap = declared(FieldMap("litters", LitterRow.__table__, {
    "id": Field(_litter.id, "uuid"),
    "name": Field(_litter.name, "text"),
    "birth_date": Field(_litter.birth_date, "date"),
    "json": JsonField(_litter.json),
    "line": to_one(LINE_MAP, _litter.line_id),
    **under(from_many(of("subjects"), _subject, _subject.litter_id, _litter.id), "subject", "subjects"),
}, visible=_is_visible_litter))  # fmt: skip
_ZYGOSITY_MAP = FieldMap("zygosities", ZygosityRow.__table__, {
    "id": Field(_zygosity.allele_id, "uuid"),
    "zygosity": Field(_zygosity.zygosity, "int"),
    "allele": to_one(TERM_MAP, _zygosity.allele_id),
}, visible=lambda visibility, row: is_subject_visible(visibility, row.subject_id))  # fmt: skip


def _actions_of_subject(noun: str, *names: str) -> dict[str, Any]:
    return under(from_many(of(noun), _action, _action.subject_id, _subject.id), *names)


SUBJECT_MAP: FieldMap = declared(FieldMap("subjects", SubjectRow.__table__, {
    "id": Field(_subject.id, "uuid"),
    **texts(_subject, "nickname", "sex", "description"),
    "birth_date": Field(_subject.birth_date, "date"),
    "death_date": Field(_subject.death_date, "date"),
    "json": JsonField(_subject.json),
    "lab": to_one(LAB_MAP, _subject.lab_id),
    "responsible_user": to_one(USER_MAP, _subject.responsible_user_id, NAMED_USERS),
    "species": to_one(TERM_MAP, _subject.species_id),
    "notes": notes_of("subject", _subject.id),
    "strain": to_one(TERM_MAP, _subject.strain_id),
    "source": to_one(TERM_MAP, _subject.source_id),
    "line": to_one(LINE_MAP, _subject.line_id),
    "litter": to_one(LITTER_MAP, _subject.litter_id),
    "projects": to_many(PROJECT_MAP, _subject_project.subject_id, _subject.id, _subject_project.project_id),
    "genotype": to_many(TERM_MAP, _zygosity.subject_id, _subject.id, _zygosity.allele_id),
    **under(from_many(lambda: _ZYGOSITY_MAP, _zygosity, _zygosity.subject_id, _subject.id), "zygosity", "zygosities"),
    **under(from_many(lambda: WEIGHING_MAP, _weighing, _weighing.subject_id, _subject.id), "weighings", "weighing"),
    **under(from_many(lambda: WATER_MAP, water, water.subject_id, _subject.id),
            "water_administrations", "wateradministration"),
    **_actions_of_subject("sessions", "actions_sessions", "session", "sessions"),
    **_actions_of_subject("surgeries", "actions_surgerys", "surgery", "surgeries"),
    **_actions_of_subject("chronic insertions", "actions_chronicinsertions", "chronicinsertion"),
    **_actions_of_subject("water restrictions", "actions_waterrestrictions", "waterrestriction", "water_restrictions"),
}, visible=_is_visible_subject))  # fmt: skip
WEIGHING_MAP: FieldMap = FieldMap("weighings", WeighingRow.__table__, {
    "id": Field(_weighing.id, "uuid"),
    "date_time": clock(_weighing.date_time),
    "weight": Field(_weighing.weight, "float"),
    "json": JsonField(_weighing.json),
    "subject": to_one(SUBJECT_MAP, _weighing.subject_id),
    "user": to_one(USER_MAP, _weighing.user_id, NAMED_USERS),
}, visible=is_of_visible_subject)  # fmt: skip
WATER_MAP: FieldMap = FieldMap("water administrations", WaterAdministrationRow.__table__, {
    "id": Field(water.id, "uuid"),
    "date_time": clock(water.date_time),
    "water_administered": Field(water.water_administered, "float"),
    "adlib": Field(water.adlib, "bool"),
    "json": JsonField(water.json),
    "subject": to_one(SUBJECT_MAP, water.subject_id),
    "user": to_one(USER_MAP, water.user_id, NAMED_USERS),
    "water_type": to_one(TERM_MAP, water.water_type_id),
    "session": Relation(of("sessions"), on=_action.id == water.session_id, key=water.session_id),
}, visible=is_of_visible_subject)  # fmt: skip
