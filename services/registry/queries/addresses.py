"""Addresses of datasets' files, written by the database: the rules of `cingulum.alf.dataset_url` as expressions."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.selectable import LateralFromClause

from cingulum.alf.paths import SUBJECTS
from cingulum.stores import CENTRAL

Text = sa.ColumnElement[str]
FENCE: Final = sa.literal_column("0", sa.Integer())  # an OFFSET, by which PostgreSQL runs a subquery as it is
_HEX: Final = "[0-9a-f]"
_UUID: Final = f"{_HEX}{{8}}-{_HEX}{{4}}-[345]{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}"
_LIKE_UUID: Final = f"%.{'-'.join('_' * n for n in (8, 4, 4, 4, 12))}%"  # tested first, as it costs less


def _constant(text: str) -> Text:
    """Written into the statement, as it is none of its values."""
    return sa.literal_column(f"'{text}'", sa.Text())


_SUBJECTS: Final = _constant(SUBJECTS)
_SLASH: Final = _constant("/")
_DOT: Final = _constant(".")
_NOTHING: Final = _constant("")
_LAST: Final = sa.literal_column("-1", sa.Integer())
_HOST: Final = _constant("://")
_N_SUBJECTS: Final = sa.literal_column(str(len(SUBJECTS)), sa.Integer())
_N_LAB: Final = sa.literal_column(str(len(SUBJECTS) - 2), sa.Integer())
_ZERO: Final = sa.literal_column("0", sa.Integer())


def path_below_subjects(folder: Text, path: Text) -> Text:
    """Path of a file below the lab's folder of subjects; of a folder without one, below that folder."""
    start = sa.func.strpos(folder, _SUBJECTS)
    inside = sa.case((start > _ZERO, sa.func.substr(folder, start + _N_SUBJECTS)))
    return sa.func.ltrim(sa.func.concat(inside, _SLASH, path), _SLASH)


def labs_folder(folder: Text) -> Text:
    """The folder of subjects above a session's folder; a folder of no session as it is."""
    start = sa.func.strpos(folder, _SUBJECTS)
    above = sa.func.left(folder, start + _N_LAB)
    return sa.case((start > _ZERO, above), else_=folder)


def path_above(folder: Text, path: Text, below: Text) -> Text:
    """What of the path of a file is above its `path_below_subjects`."""
    whole = sa.func.btrim(sa.func.concat(folder, _SLASH, path), _SLASH)
    n_below = sa.func.length(below)
    above = sa.func.left(whole, sa.func.length(whole) - n_below)
    return sa.func.btrim(sa.case((sa.func.right(whole, n_below) == below, above), else_=whole), _SLASH)


def name_without_id(path: Text) -> Text:
    """The name at the end of a path, without the id of a dataset if it has one."""
    name = sa.func.split_part(path, _SLASH, _LAST)
    before_extension = _constant(f"^(.*)\\.{_UUID}(\\.[^.]*)$")
    at_end = _constant(f"^(.*)\\.{_UUID}$")
    removed = sa.case(
        (
            name.regexp_match(before_extension),
            sa.func.regexp_replace(name, before_extension, _constant("\\1\\2")),
        ),
        else_=sa.func.regexp_replace(name, at_end, _constant("\\1")),
    )
    return sa.case((name.like(_constant(_LIKE_UUID)), removed), else_=name)


def path_with_id(path: Text, name: Text, dataset_id: Any) -> Text:
    """A path as on a server, with the id before the extension; `name` is its `name_without_id`."""
    n_folder = sa.func.length(path) - sa.func.length(sa.func.split_part(path, _SLASH, _LAST))
    extension = sa.func.split_part(name, _DOT, _LAST)
    n_stem = sa.func.length(name) - sa.func.length(extension) - 1
    folder, written_id = sa.func.left(path, n_folder), sa.cast(dataset_id, sa.Text)
    return sa.case(
        (
            n_stem > _ZERO,
            sa.func.concat(folder, sa.func.left(name, n_stem), _DOT, written_id, _DOT, extension),
        ),
        else_=sa.func.concat(folder, name, _DOT, written_id),
    )


def addressed_file(file: sa.Select[*tuple[Any, ...]]) -> LateralFromClause:
    """What the address of a file consists of, by the id, folder and path of its dataset.

    Each step is a source of its own that is not merged with the next one, which would write its texts again and again.
    """
    of_file = file.offset(FENCE).lateral("file").c
    below = path_below_subjects(of_file.folder, of_file.path).label("below")
    name = name_without_id(of_file.path).label("name")
    place = sa.select(*of_file, below, name).offset(FENCE).subquery("place").c
    above = path_above(place.folder, place.path, place.below).label("above")
    with_id = path_with_id(place.below, place.name, place.id).label("with_id")
    parts = sa.select(place.id, place.folder, place.below, above, with_id)
    return parts.offset(FENCE).lateral("addressed")


def path_of_copy(file: Any, own_path: Any) -> Text:
    """The path that a copy's record shows.

    file       the columns of an `addressed_file`
    own_path   of the copy, null where it is that of the dataset
    """
    return sa.func.coalesce(sa.func.nullif(own_path, _NOTHING), file.below)


def url_of_copy(file: Any, own_path: Any, data_url: Any, store: Any, base_url: Text) -> Text:
    """The URL of a copy in a repository, as `dataset_url`; null if the repository serves no files.

    base_url   our own, below which a `data_url` without host is
    """
    own_file = sa.select(file.id, labs_folder(file.folder).label("folder"), own_path.label("path"))
    own = addressed_file(own_file.correlate_except()).c
    own_url = sa.select(_url(own, data_url, store, base_url)).scalar_subquery()
    written = sa.case((own_path.is_(None), _url(file, data_url, store, base_url)), else_=own_url)
    return sa.case((data_url != _NOTHING, written))


def _url(file: Any, data_url: Any, store: Any, base_url: Text) -> Text:
    is_ours = sa.func.strpos(data_url, _HOST) == _ZERO
    base = sa.func.rtrim(sa.case((is_ours, base_url + data_url), else_=data_url), _SLASH)
    end_of_base = sa.func.right(base, sa.func.length(file.above) + 1)
    is_missing = sa.and_(sa.or_(is_ours, store.in_(CENTRAL)), end_of_base != _SLASH + file.above)
    above = sa.case((is_missing, sa.func.nullif(file.above, _NOTHING)))
    return sa.func.concat_ws(_SLASH, sa.func.nullif(base, _NOTHING), above, file.with_id)
