"""A zip of a folder on this disk, without a server: the same tree, tables and documents as a server's export."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from cingulum.alf.folder import datasets, sessions
from cingulum.alf.paths import SessionPath
from cingulum.alf.server_names import remove_uuid
from cingulum.digests import Digests, Hasher
from cingulum.export.contents import Contents, ExportedFile, LeftOut
from cingulum.export.documents import write_documents
from cingulum.export.known_rows import KnownRows, read_known_rows
from cingulum.export.one_tables import TableDataset, TableSession, defaults_among
from cingulum.file_identity import FileChanged, FileIdentity
from cingulum.manifests import ManifestEntry, build_manifest

NO_NAME: Final = "not named as a dataset (cingulum alf check says why)"
TWICE: Final = "another file has the same path in the zip"
LINK: Final = "a symbolic link"
_BLOCK_BYTES: Final = 4 << 20
_OLDEST = time.struct_time((1980, 1, 1, 0, 0, 0, 1, 1, 0))  # that a zip can have


class NothingToExport(Exception):
    """A folder has no session with a dataset."""


@dataclass(frozen=True)
class PlannedFile:
    """A file of a session, with its name in the zip: without the id that servers write into names."""

    session: SessionPath
    collection: str
    revision: str
    name: str
    source: Path
    size_bytes: int

    @property
    def inside(self) -> str:
        """Path in the session."""
        revision = f"#{self.revision}#" if self.revision else ""
        return "/".join(filter(None, (self.collection, revision, self.name)))

    @property
    def path(self) -> str:
        """Path in the zip."""
        return f"{self.session}/{self.inside}"


@dataclass(frozen=True)
class FolderPlan:
    """What goes into a zip, sorted by path, and what does not; `known` has what tables of the folder say of it."""

    name: str
    files: Sequence[PlannedFile]
    left_out: Sequence[LeftOut]
    known: KnownRows

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)


def plan_folder(root: Path, name: str) -> FolderPlan:
    """All sessions below (or at) a folder.

    Raises NothingToExport, InvalidTable for broken tables in it, InvalidManifest for a name or path that no manifest
    can have: before hours of copying, not after.
    """
    known = read_known_rows(root)
    files: dict[str, PlannedFile] = {}
    left_out: list[LeftOut] = []
    for session, folder in sessions(root):
        named = set()
        for (collection, revision, file), source in datasets(folder):
            named.add(source)
            is_link = source.is_symlink()
            size_bytes = 0 if is_link else source.stat().st_size
            planned = PlannedFile(session, collection, revision, remove_uuid(str(file)), source, size_bytes)
            if is_link:
                left_out.append(LeftOut(planned.path, LINK))
            elif files.setdefault(planned.path, planned) is not planned:
                left_out.append(LeftOut(f"{session}/{source.relative_to(folder).as_posix()}", TWICE))
        others = sorted(path for path in folder.rglob("*") if not path.is_dir() and path not in named)
        left_out += [LeftOut(f"{session}/{path.relative_to(folder).as_posix()}", NO_NAME) for path in others]
    if not files:
        raise NothingToExport(f"{root} has no session folder (subject/yyyy-mm-dd/number) with a dataset")
    unread = [ManifestEntry(path=file.path, size=file.size_bytes, sha256="0" * 64) for file in files.values()]
    build_manifest(name, datetime.now(UTC).replace(microsecond=0), unread)
    return FolderPlan(name, sorted(files.values(), key=lambda file: file.path), left_out, known)


def zip_folder(plan: FolderPlan, out: Path, on_read: Callable[[int], None] = lambda _n: None) -> Contents:
    """Write the zip; each file is read once. `on_read` is called with the bytes of each block.

    It has its name when it is complete. Raises FileChanged for a file that is written to meanwhile, FileExistsError if
    `out` is there by then, and OSError.
    """
    part = out.with_name(f".{out.name}.{uuid4().hex}.part")
    try:
        with zipfile.ZipFile(part, "x", zipfile.ZIP_STORED) as zipped:
            digests = [_add(zipped, file, on_read) for file in plan.files]
            contents = _contents(plan, digests)
            for document, data in write_documents(contents).items():
                zipped.writestr(zipfile.ZipInfo(document, _date_time(contents.created.timetuple())), data)
        _publish(part, out)
    finally:
        part.unlink(missing_ok=True)
    return contents


def _publish(part: Path, out: Path) -> None:
    """Rename, unless there is such a file: `Path.replace` would overwrite it."""
    try:
        os.link(part, out)
    except FileExistsError:
        raise FileExistsError(f"{out} exists: name another file by --out") from None
    except OSError:  # a disk without hard links, such as exFAT
        out.touch(exist_ok=False)
        part.replace(out)


def _add(zipped: zipfile.ZipFile, file: PlannedFile, on_read: Callable[[int], None]) -> Digests:
    before = FileIdentity.at(file.source)
    info = zipfile.ZipInfo(file.path, _date_time(time.localtime(before.mtime_ns / 1e9)))
    info.file_size = before.size_bytes  # decides whether the zip needs large fields for it
    info.external_attr = 0o100644 << 16
    hasher = Hasher()
    with file.source.open("rb") as source, zipped.open(info, "w") as target:
        while block := source.read(_BLOCK_BYTES):
            hasher.update(block)
            target.write(block)
            on_read(len(block))
    if FileIdentity.at(file.source) != before or hasher.size_bytes != before.size_bytes:
        raise FileChanged(f"{file.source} was modified while it was read")
    return hasher.digests()


def _date_time(moment: time.struct_time) -> tuple[int, int, int, int, int, int]:
    year, month, day, hour, minute, second = max(moment, _OLDEST)[:6]
    return year, month, day, hour, minute, min(second, 59)


def _contents(plan: FolderPlan, digests: Sequence[Digests]) -> Contents:
    paths = sorted({file.session for file in plan.files})
    of_session = {path: plan.known.session(path) for path in paths}
    of_file = [plan.known.dataset(of_session[file.session].id, file.inside) for file in plan.files]
    defaults = defaults_among(
        ((file.session, file.collection, file.name), file.revision, row.is_default)
        for file, row in zip(plan.files, of_file, strict=True)
    )
    table = [
        TableDataset(
            eid=of_session[file.session].id,
            id=row.id,
            size_bytes=digest.size_bytes,
            hash=digest.md5,
            default_revision=defaults[file.session, file.collection, file.name] == file.revision,
            qc=row.qc,
            relative_path=file.inside,
        )
        for file, row, digest in zip(plan.files, of_file, digests, strict=True)
    ]
    listed = [
        TableSession(
            id=row.id,
            lab=path.lab,
            subject=path.subject,
            date=path.date,
            number=path.number,
            task_protocol=row.task_protocol,
            projects=list(row.projects),
        )
        for path, row in of_session.items()
    ]
    files = [
        ExportedFile(file.path, digest.size_bytes, digest.sha256)
        for file, digest in zip(plan.files, digests, strict=True)
    ]
    return Contents(
        name=plan.name,
        created=datetime.now(UTC).replace(microsecond=0),
        source="a folder",
        sessions=sorted(listed),
        datasets=sorted(table, key=lambda row: (row.eid, row.id)),
        files=files,
        left_out=plan.left_out,
    )
