"""What a registration request says: no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from cingulum.alf import (
    AlfError,
    DatasetTypes,
    SessionPath,
    match_extension,
    parse_aggregate_file,
    parse_register_file,
    parse_register_path,
)
from libs.common.problem import BadRequest
from libs.common.schemas.files.registration import RegisterFiles

AGGREGATE_TYPES: Final = ("subject", "project", "lab", "tag", "probeinsertion")
T = TypeVar("T")


@dataclass(frozen=True)
class FileSaid:
    """One file of a request."""

    collection: str
    revision: str
    name: str
    md5: str | None
    size_bytes: int | None
    software_version: str | None
    qc: int | None


def session_said(said: RegisterFiles) -> SessionPath:
    """The session that a request's path names. Raises BadRequest."""
    try:
        return parse_register_path(said.path).session
    except AlfError as error:
        raise BadRequest(fields={"path": [str(error)]}) from None


def files_said(said: RegisterFiles) -> list[FileSaid]:
    """The files of a request, in order. Raises BadRequest naming the first that is no name, or a list's wrong length.

    >>> body = RegisterFiles(path="m1/2024-01-02/1", filenames="alf/a.b.npy,alf/a.c.npy", hashes=None, qc="PASS")
    >>> [(file.collection, file.name, file.qc) for file in files_said(body)]
    [('alf', 'a.b.npy', 10), ('alf', 'a.c.npy', 10)]
    """
    n_files = len(said.filenames)
    if not n_files:
        raise BadRequest(fields={"filenames": ["Name at least one file."]})
    md5s = _each("hashes", said.hashes, n_files)
    sizes = _each("filesizes", said.filesizes, n_files)
    versions = _each("versions", said.versions, n_files)
    qcs = _each("qc", said.qc, n_files)
    of_session = said.content_type is None or said.content_type.rpartition(".")[2].lower() == "session"
    if of_session:
        session_said(said)
    found = []
    for i, filename in enumerate(said.filenames):
        try:
            if of_session:
                _, collection, revision, name = parse_register_file(said.path, filename)
            else:
                collection, revision, name = parse_aggregate_file(said.path, filename)
        except AlfError as error:
            raise BadRequest(fields={"filenames": [str(error)]}) from None
        found.append(FileSaid(collection, revision, name, md5s[i], sizes[i], versions[i], qcs[i]))
    places = {(file.collection, file.revision, file.name) for file in found}
    if len(places) < n_files:
        raise BadRequest(fields={"filenames": ["One file is named twice."]})
    return found


def folders_of_object(model: str, name: str | None, object_id: UUID) -> tuple[str, ...]:
    """The folders that files of an object may lie in, by its name or by its id: no object lends its path to another.

    >>> folders_of_object("subject", "hilllab/KS022", UUID(int=1))
    ('Subjects/hilllab/KS022', 'Subjects/00000000-0000-0000-0000-000000000001')
    """
    return tuple(f"{model.capitalize()}s/{one}" for one in (name, object_id) if one)


def check_below(files: Sequence[FileSaid], folders: Sequence[str]) -> None:
    """Raises BadRequest for a file that lies outside all of the folders; without folders all may pass.

    >>> check_below([FileSaid("Subjects/a/m1/x", "", "t.pqt", None, None, None, None)], ["Subjects/a/m1"])
    >>> check_below([FileSaid("Subjects/a/m10", "", "t.pqt", None, None, None, None)], ["Subjects/a/m1"])
    Traceback (most recent call last):
    libs.common.problem.BadRequest: The request cannot be carried out.
    """
    for file in files:
        if folders and not any(f"{file.collection}/".startswith(f"{folder}/") for folder in folders):
            where = "' or '".join(folders)
            raise BadRequest(
                fields={"path": [f"'{file.collection}' is not of this object: its files lie in '{where}'."]}
            )


def _each(field: str, said: Sequence[T | None] | None, n_files: int) -> list[T | None]:
    """One value a file; one value alone is meant for all."""
    if not said:
        return [None] * n_files
    if len(said) == n_files:
        return list(said)
    if len(said) == 1:
        return list(said) * n_files
    raise BadRequest(
        fields={field: [f"{len(said)} values for {n_files} files: give one a file, or one for all."]}
    )


def kinds_of(
    files: Sequence[FileSaid], types: DatasetTypes, extensions: Sequence[str]
) -> list[tuple[str, str]]:
    """(dataset type, extension) of each file. Raises BadRequest for the first that fits none."""
    found = []
    for file in files:
        try:
            found.append((types.match(file.name).name, match_extension(file.name, extensions)))
        except AlfError as error:
            raise BadRequest(fields={"filenames": [str(error)]}) from None
    return found
