"""Paths of file records, as clients send them."""

from __future__ import annotations

from uuid import UUID

from cingulum.alf import AlfError, check_relative_path, parse_folder, remove_uuid
from libs.common.problem import NOT_NULL, BadRequest
from libs.common.schemas.files.files import FileRecordIn
from libs.common.schemas.ids import parse_field_id


def path_in(body: FileRecordIn) -> str | None:
    """The path of a body; None if it has none. Raises BadRequest.

    >>> path_in(FileRecordIn(relative_path="m1/2024-01-02/1/alf/a.b.a976e418-c8b8-4d24-be47-d05120b18341.npy"))
    'm1/2024-01-02/001/alf/a.b.npy'
    >>> path_in(FileRecordIn())
    """
    if "relative_path" not in body.model_fields_set:
        return None
    if body.relative_path is None:
        raise BadRequest(fields={"relative_path": NOT_NULL})
    try:
        path = check_relative_path(body.relative_path)
    except AlfError as error:
        raise BadRequest(fields={"relative_path": [str(error)]}) from None
    return _plain(path)


def _plain(path: str) -> str:
    """Without the UUID that files have on servers, and with the number of a session as folders have it."""
    folder, slash, name = remove_uuid(path).rpartition("/")
    try:
        return f"{parse_folder(folder)}{slash}{name}"
    except AlfError:
        return f"{folder}{slash}{name}"


def check_path(path: str, own: str, repository: str, *, is_managed: bool, is_taken: bool) -> None:
    """Raises BadRequest for a path that a record in a repository cannot have.

    `own` is the path of its dataset. Where bytes can be read, they are read there.
    """
    if path != own and is_managed:
        text = f"Files in {repository} are found at the path of their dataset: '{own}'."
        raise BadRequest(fields={"relative_path": [text]})
    if is_taken:
        raise BadRequest(fields={"relative_path": [f"'{path}' is that of another dataset in {repository}."]})


def describe_taken(path: str, repository: str, dataset_id: UUID | None, session_id: UUID | None) -> str:
    """Why a file cannot have a path; `dataset_id`: of the other one, None if the caller cannot see it.

    >>> describe_taken("m1/2024-01-02/001/alf/a.b.npy", "flat", None, None)
    "'m1/2024-01-02/001/alf/a.b.npy' in flat is that of a dataset that you cannot see: ask an administrator."
    """
    taken = f"'{path}' in {repository} is that of"
    if dataset_id is None:
        return f"{taken} a dataset that you cannot see: ask an administrator."
    of_session = f" of session {session_id}" if session_id else ""
    return f"{taken} dataset {dataset_id}{of_session}: sessions of one subject, day and number can be merged."


def check_same(body: FileRecordIn, *, dataset_id: UUID, repository: str) -> None:
    """Raises BadRequest for another dataset or repository: a record stays where it is."""
    text = ["It cannot change: create another record."]
    if body.dataset is not None and parse_field_id("dataset", body.dataset) != dataset_id:
        raise BadRequest(fields={"dataset": text})
    if body.data_repository is not None and body.data_repository != repository:
        raise BadRequest(fields={"data_repository": text})
