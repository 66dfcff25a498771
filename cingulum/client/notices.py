"""What a server states by now about files that are here: notices on datasets, files pulled from a release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cingulum.http import Connection
from cingulum.manifests import Manifest, ManifestEntry

if TYPE_CHECKING:
    from cingulum.client.release_downloads import ReleaseSource

# 100 ids are an address of 4 kB, which every proxy lets through.
_IDS_PER_REQUEST: Final = 100
ERROR: Final = 40


@dataclass(frozen=True, slots=True)
class FileNotice:
    """A notice on a file: `importance` 20 info, 30 warning, 40 error, 50 critical."""

    path: str
    importance: int
    text: str

    @property
    def is_error(self) -> bool:
        """Whether the file should not be used: it was pulled or withdrawn, or its notice is of level error."""
        return self.importance >= ERROR


def fetch_notices(connection: Connection, entries: Sequence[ManifestEntry]) -> list[FileNotice]:
    """Notices on files, as the account sees them, errors first; files without a dataset id have none.

    Raises Refused, Unreachable.
    """
    paths = {str(entry.dataset): entry.path for entry in entries if entry.dataset is not None}
    notices = [
        FileNotice(paths[dataset], row["importance"], _text_of(row["name"], row["description"]))
        for ids in _batches(list(paths))
        for row in connection.rows("/data-notices", datasets=",".join(ids))
        for dataset in row["datasets"]
        if dataset in ids
    ]
    return sorted(notices, key=lambda notice: (-notice.importance, notice.path))


def fetch_pulled(connection: Connection, source: ReleaseSource) -> dict[str, str]:
    """Why files were pulled from a release, by path. Raises Refused, Unreachable."""
    pulled = {}
    for row in connection.rows(f"{source.path}/files"):
        if row["pulled_at"] is None:
            break  # The server lists pulled files first.
        pulled[row["path"]] = row["pulled_reason"]
    return pulled


def fetch_release_notices(
    connection: Connection, source: ReleaseSource, manifest: Manifest
) -> Iterator[FileNotice]:
    """What became of a release since its manifest was signed. Raises Refused, Unreachable."""
    record = connection.get(source.path)
    if record["withdrawn_at"] is not None:
        yield FileNotice("all files", ERROR, f"the release was withdrawn: {record['withdrawn_reason']}")
        return
    if record["root"] != manifest.root:
        yield FileNotice(
            "manifest", ERROR, f"{connection.base_url} has another one, of root {record['root']}"
        )
    for path, reason in fetch_pulled(connection, source).items():
        yield FileNotice(path, ERROR, f"pulled: {reason}")


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_PER_REQUEST):
        yield ids[start : start + _IDS_PER_REQUEST]


def _text_of(name: str, description: str) -> str:
    """In one line."""
    return " ".join(f"{name}: {description}".split())
