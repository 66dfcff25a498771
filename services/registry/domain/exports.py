"""What goes into an export, and what refuses one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol
from uuid import UUID

from cingulum.export.contents import Contents, ExportedFile, LeftOut
from cingulum.export.layout import VERSION, Layout
from cingulum.export.one_tables import TableDataset, TableSession, defaults_among
from cingulum.export.zip_records import Entry
from libs.common.problem import BadRequest, Conflict
from libs.common.visibility import Visibility

MOST_EXPORTS: Final = 100  # of one user, until they expire
MOST_TIMES: Final = 10  # the files of one export: of all exports of one user together
MOST_PATHS: Final = 20  # that a refusal names
MOST_LEFT_OUT: Final = 1_000  # that an answer lists; README.txt of the zip lists all
UNREAD: Final = "its bytes were never read by the central store or an agent"
NO_COPY: Final = "no verified copy is in the central store"
SAME_PATH: Final = "another dataset of the export has its path, or that of its folder"


class ExportTooLarge(BadRequest):
    """More datasets, or more bytes, than one export may have."""

    slug: ClassVar[str] = "export-too-large"


class NothingToExport(BadRequest):
    """No dataset matches, or none that does has a verified copy in the central store."""

    slug: ClassVar[str] = "nothing-to-export"


class TooManyExports(Conflict):
    """The caller has as many exports as one user may have."""

    slug: ClassVar[str] = "too-many-exports"
    detail: ClassVar[str] = f"You have {MOST_EXPORTS} exports: delete one, or wait until one expires."


class ExportIncomplete(Conflict):
    """The zip would not be what was exported: a dataset is no longer available to the caller."""

    slug: ClassVar[str] = "export-incomplete"


class SizedFile(Protocol):
    """A file of a zip."""

    @property
    def path(self) -> str:
        """Its path in the zip."""
        ...

    @property
    def size_bytes(self) -> int:
        """Its size."""
        ...

    @property
    def sha256(self) -> str | None:
        """Its hash."""
        ...


@dataclass(frozen=True)
class ExportLimits:
    """The service's settings."""

    days: int
    files: int
    size_bytes: int

    @property
    def lifetime(self) -> timedelta:
        """How long an export can be downloaded."""
        return timedelta(days=self.days)


@dataclass(frozen=True)
class StoredExport:
    """A zip that can be downloaded; its fields are columns of its row.

    A user's has `user_id` and expires; that of a release has `release_id` and the `basis` of its documents.
    """

    id: UUID
    user_id: UUID | None
    narrowing: str
    name: str
    n_files: int
    n_sessions: int
    size_bytes: int
    digest: str
    created_at: datetime
    expires_at: datetime | None
    release_id: UUID | None = None
    basis: str | None = None


@dataclass(frozen=True)
class Selected:
    """A dataset that matches, in its current version; `is_stored`: a verified copy is in the central store."""

    dataset_id: UUID
    session_id: UUID | None
    generation: int
    folder: str
    relative_path: str
    collection: str
    name: str
    revision: str
    is_default: bool
    qc: int
    size_bytes: int
    md5: str
    sha256: str | None
    is_stored: bool

    @property
    def path(self) -> str:
        """Path in the tree."""
        return f"{self.folder}/{self.relative_path}"


def check_room(n_exports: int, n_files: int, limits: ExportLimits) -> None:
    """Raises TooManyExports for a user who has so many exports already, with so many files together."""
    if n_exports >= MOST_EXPORTS:
        raise TooManyExports
    if n_files >= MOST_TIMES * limits.files:
        raise TooManyExports(
            f"Your exports have {n_files} files together: delete one, or wait until one expires."
        )


def narrowing_of(visibility: Visibility) -> str:
    """The limits of the caller's token, as a text: an export belongs to a user and to these."""
    if visibility.labs is None or visibility.only_projects is None:
        return ""
    names = [f"lab:{lab}" for lab in visibility.labs] + [f"project:{p}" for p in visibility.only_projects]
    return " ".join(sorted(names)) or "nothing"


def check_limits(selected: Sequence[Selected], limits: ExportLimits) -> None:
    """Raises NothingToExport and ExportTooLarge; `selected` may have one more than the limit."""
    if not selected:
        raise NothingToExport("No dataset matches.")
    if len(selected) > limits.files:
        raise ExportTooLarge(f"More than {limits.files} datasets match: export fewer sessions at once.")
    total = sum(dataset.size_bytes for dataset in selected)
    if total > limits.size_bytes:
        raise ExportTooLarge(
            f"The datasets have {total} bytes, more than {limits.size_bytes}: export fewer sessions at once."
        )


def split_selected(selected: Iterable[Selected]) -> tuple[list[Selected], list[tuple[Selected, str]]]:
    """What is in the zip, in the order of paths, and what is not, with the reason. Raises NothingToExport."""
    inside: dict[str, Selected] = {}
    left_out: list[tuple[Selected, str]] = []
    for dataset in sorted(selected, key=lambda dataset: (dataset.path, str(dataset.dataset_id))):
        reason = _why_not(dataset, inside)
        if reason:
            left_out.append((dataset, reason))
        else:
            inside[dataset.path] = dataset
    if not inside:
        reasons = ", ".join(sorted({reason for _, reason in left_out}))
        raise NothingToExport(f"{len(left_out)} datasets match, and none can be exported: {reasons}.")
    return list(inside.values()), left_out


def _why_not(dataset: Selected, inside: Mapping[str, Selected]) -> str:
    if dataset.sha256 is None:
        return UNREAD
    if not dataset.is_stored:
        return NO_COPY
    parts = dataset.path.split("/")
    paths = {"/".join(parts[:n]) for n in range(1, len(parts) + 1)}
    return SAME_PATH if paths & inside.keys() else ""


def contents_of(
    name: str,
    created: datetime,
    source: str,
    sessions: Sequence[TableSession],
    inside: Sequence[Selected],
    left_out: Iterable[tuple[Selected, str]],
) -> Contents:
    """What the documents of an export say."""
    listed = {session.id for session in sessions}
    own = sorted(
        (dataset for dataset in inside if str(dataset.session_id) in listed),
        key=lambda dataset: (str(dataset.session_id), str(dataset.dataset_id)),
    )
    defaults = defaults_among((_file_of(dataset), dataset.revision, dataset.is_default) for dataset in own)
    files = [
        ExportedFile(
            dataset.path,
            dataset.size_bytes,
            str(dataset.sha256),
            str(dataset.dataset_id),
            dataset.generation,
        )
        for dataset in inside
    ]
    rows = [
        TableDataset(
            eid=str(dataset.session_id),
            id=str(dataset.dataset_id),
            size_bytes=dataset.size_bytes,
            hash=dataset.md5,
            default_revision=defaults[_file_of(dataset)] == dataset.revision,
            qc=dataset.qc,
            relative_path=dataset.relative_path,
        )
        for dataset in own
    ]
    reasons = [LeftOut(dataset.path, reason) for dataset, reason in left_out]
    return Contents(name, created, source, sessions, rows, files, reasons)


def _file_of(dataset: Selected) -> tuple[UUID | None, str, str]:
    return dataset.session_id, dataset.collection, dataset.name


def layout_of(
    documents: Iterable[tuple[str, int]], files: Iterable[tuple[str, int]], created: datetime
) -> Layout:
    """The zip: documents first, then the tree. Each item is a path and a size in bytes."""
    return Layout([Entry(path, size) for path, size in (*documents, *files)], created)


def digest_of(documents: Mapping[str, bytes], files: Iterable[SizedFile], created: datetime) -> str:
    """SHA-256 of all that decides the bytes of the zip."""
    parts = [[name, len(data), hashlib.sha256(data).hexdigest()] for name, data in documents.items()]
    parts += [[file.path, file.size_bytes, file.sha256] for file in files]
    return hashlib.sha256(json.dumps([created.isoformat(), parts]).encode()).hexdigest()


def etag_of(digest: str) -> str:
    """The entity tag of a zip: it changes with the code that lays out its bytes, too."""
    return f'"{digest}-{VERSION}"'


def refusal(n_hidden: int, n_lost: int, lost: Sequence[str]) -> ExportIncomplete:
    """Why a zip is not sent: datasets that the caller can no longer see, and paths without a verified copy."""
    sentences = []
    if n_hidden:
        sentences.append(f"{n_hidden} of its datasets are deleted or no longer visible to you.")
    if n_lost:
        named = ", ".join(lost[:MOST_PATHS]) + (", …" if n_lost > MOST_PATHS else "")
        sentences.append(f"{n_lost} have no verified copy in the central store at present: {named}.")
    return ExportIncomplete(" ".join(["The zip cannot be sent.", *sentences, "Create a new export."]))
