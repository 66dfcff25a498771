"""Parsing of registration requests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar
from uuid import UUID

from cingulum.alf import (
    AlfError,
    DatasetTypes,
    SessionPath,
    check_relative_path,
    clean_path,
    match_extension,
    parse_aggregate_file,
    parse_register_file,
    parse_register_path,
)
from libs.common.problem import BadRequest
from libs.common.schemas.files.registration import RegisterFiles
from libs.common.schemas.states import ContentType

_NO_OBJECTS: Final = {ContentType.SESSION, ContentType.LABMEMBER}
AGGREGATE_TYPES: Final = tuple(kind for kind in ContentType if kind not in _NO_OBJECTS)
FileKey = tuple[str, str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class RequestedFile:
    """One file of a request."""

    collection: str
    revision: str
    name: str
    md5: str | None = None
    size_bytes: int | None = None
    software_version: str | None = None
    qc: int | None = None
    import_id: UUID | None = None

    @property
    def key(self) -> FileKey:
        """What identifies the file within its session."""
        return self.collection, self.revision, self.name


class FileOfRevision(Protocol):
    """A file that is requested or known."""

    @property
    def collection(self) -> str:
        """Its collection."""

    @property
    def name(self) -> str:
        """Its file name."""


def lone_files(files: Sequence[RequestedFile], known: Iterable[FileOfRevision]) -> set[FileKey]:
    """New files of which there is no other revision, neither among the known datasets nor in the request.

    >>> files = [RequestedFile("alf", "", "a.b.npy"), RequestedFile("alf", "", "c.d.npy")]
    >>> lone_files(files, [RequestedFile("alf", "2024", "c.d.npy")])
    {('alf', '', 'a.b.npy')}
    """
    n_revisions = Counter((file.collection, file.name) for file in (*files, *known))
    return {file.key for file in files if n_revisions[file.collection, file.name] == 1}


def parse_session_path(request: RegisterFiles) -> SessionPath:
    """The session in the path of a request. Raises BadRequest."""
    try:
        return parse_register_path(request.path).session
    except AlfError as error:
        raise BadRequest(fields={"path": [str(error)]}) from None


def parse_files(request: RegisterFiles) -> list[RequestedFile]:
    """The files of a request, in order. Raises BadRequest for an invalid name or a list of the wrong length.

    >>> body = RegisterFiles(path="m1/2024-01-02/1", filenames="alf/a.b.npy,alf/a.c.npy", hashes=None, qc="PASS")
    >>> [(file.collection, file.name, file.qc) for file in parse_files(body)]
    [('alf', 'a.b.npy', 10), ('alf', 'a.c.npy', 10)]
    >>> parse_files(RegisterFiles(path="m1/2024-01-02/1", filenames=["/alf//a.b.npy"]))[0].key
    ('alf', '', 'a.b.npy')
    >>> parse_files(RegisterFiles(path="Subjects/l/m1/a.b.pqt", filenames=["."], content_type="subject"))[0].key
    ('Subjects/l/m1', '', 'a.b.pqt')
    """
    n_files = len(request.filenames)
    if not n_files:
        raise BadRequest(fields={"filenames": ["Name at least one file."]})
    md5s = _each("hashes", request.hashes, n_files)
    sizes = _each("filesizes", request.filesizes, n_files)
    versions = _each("versions", request.versions, n_files, is_one_for_all=True)
    qcs = _each("qc", request.qc, n_files, is_one_for_all=True)
    import_ids = _each("import_ids", request.import_ids, n_files)
    of_session = ContentType.name_in(request.content_type or ContentType.SESSION) == ContentType.SESSION
    if of_session:
        parse_session_path(request)
    files = []
    for i, filename in enumerate(request.filenames):
        try:
            collection, revision, name = _parse_file(*_whole_path(request, filename), of_session=of_session)
        except AlfError as error:
            raise BadRequest(fields={"filenames": [str(error)]}) from None
        files.append(
            RequestedFile(
                collection=collection,
                revision=revision,
                name=name,
                md5=md5s[i],
                size_bytes=sizes[i],
                software_version=versions[i],
                qc=qcs[i],
                import_id=import_ids[i],
            )
        )
    if len({file.key for file in files}) < n_files:
        raise BadRequest(fields={"filenames": ["The same file is listed twice."]})
    return files


def _whole_path(request: RegisterFiles, filename: str) -> tuple[str, str]:
    """Folder and name of a file; of a single one named `.`, `path` is the whole file."""
    if filename == "." and len(request.filenames) == 1:
        folder, _, name = clean_path(request.path).rpartition("/")
        return folder, name
    inside = re.sub("/+", "/", filename).removeprefix("/")
    check_relative_path(f"{clean_path(request.path)}/{inside}")
    return request.path, inside


def _parse_file(path: str, filename: str, *, of_session: bool) -> FileKey:
    """Collection, revision and name. Raises AlfError."""
    if of_session:
        _, collection, revision, name = parse_register_file(path, filename)
        return collection, revision, name
    return parse_aggregate_file(path, filename)


def folders_of_object(model: str, name: str | None, object_id: UUID) -> tuple[str, ...]:
    """The folders that files of an object may be in, by its name or by its id: never those of another object.

    The ONE client sends the part of the path from the type's name on, which it finds in the singular too.

    >>> folders_of_object("tag", "2024_Q1", UUID(int=1))[::2]
    ('Tags/2024_Q1', 'Tag/2024_Q1')
    """
    types = (f"{model.capitalize()}s", model.capitalize())
    return tuple(f"{kind}/{folder}" for kind in types for folder in (name, object_id) if folder)


def check_below(files: Sequence[RequestedFile], folders: Sequence[str], *, field: str = "path") -> None:
    """Raises BadRequest for a file outside all of the folders; without folders all are allowed.

    >>> check_below([RequestedFile("Subjects/a/m1/x", "", "t.pqt")], ["Subjects/a/m1"])
    >>> check_below([RequestedFile("Subjects/a/m10", "", "t.pqt")], ["Subjects/a/m1"])
    Traceback (most recent call last):
    libs.common.problem.BadRequest: The request cannot be carried out.
    """
    for file in files:
        if folders and not any(f"{file.collection}/".startswith(f"{folder}/") for folder in folders):
            where = "' or '".join(folders[:2])
            raise BadRequest(
                fields={
                    field: [
                        f"'{file.collection}' is not a folder of this object: its files belong in '{where}'."
                    ]
                }
            )


def _each(
    field: str, values: Sequence[T | None] | None, n_files: int, *, is_one_for_all: bool = False
) -> list[T | None]:
    """One value per file; a single value is for all where `is_one_for_all`: not a hash, say."""
    if not values:
        return [None] * n_files
    if len(values) == n_files:
        return list(values)
    if len(values) == 1 and is_one_for_all:
        return list(values) * n_files
    usage = "give one per file, or one for all" if is_one_for_all else "give one per file"
    raise BadRequest(fields={field: [f"{len(values)} values for {n_files} files: {usage}."]})


def match_kinds(
    files: Sequence[RequestedFile], types: DatasetTypes, extensions: Sequence[str]
) -> list[tuple[str, str]]:
    """(dataset type, extension) of each file. Raises BadRequest for the first that matches none."""
    kinds = []
    for file in files:
        try:
            kinds.append((types.match(file.name).name, match_extension(file.name, extensions)))
        except AlfError as error:
            raise BadRequest(fields={"filenames": [str(error)]}) from None
    return kinds
