"""Parts of an RO-Crate 1.1 that exports and releases have alike: one file is described in one way.

Source: https://www.researchobject.org/ro-crate/specification/1.1/
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

CRATE: Final = "ro-crate-metadata.json"
_SPDX: Final = "https://spdx.org/licenses/"
_OCTETS: Final = "application/octet-stream"
_FORMATS: Final = {
    "npy": "application/x-npy",
    "pqt": "application/vnd.apache.parquet",
    "json": "application/json",
    "csv": "text/csv",
    "txt": "text/plain",
    "mp4": "video/mp4",
}


def crate_of(*entities: dict[str, Any]) -> dict[str, Any]:
    """The content of `ro-crate-metadata.json`; the entities without that of the file itself."""
    itself = {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [itself, *entities]}


def licence_entity(spdx: str) -> dict[str, Any]:
    """The licence by its SPDX identifier; "" for none, with whom to ask.

    >>> licence_entity("CC-BY-4.0")["@id"]
    'https://spdx.org/licenses/CC-BY-4.0'
    """
    if spdx:
        return {"@id": f"{_SPDX}{spdx}", "@type": "CreativeWork", "name": spdx}
    return {
        "@id": "#license",
        "@type": "CreativeWork",
        "name": "No licence is stated",
        "description": "Ask the laboratory that recorded the data before you publish or share them.",
    }


def file_entity(
    path: str, size_bytes: int, sha256: str, dataset: UUID | str | None, version: int | None
) -> dict[str, Any]:
    """A dataset in one version.

    >>> file_entity("alf/a.b.npy", 8, "00", None, 2)["identifier"]
    ['urn:sha256:00']
    """
    identifiers = [f"urn:sha256:{sha256}", *([f"urn:uuid:{dataset}"] if dataset else [])]
    return {
        "@id": quote(path),
        "@type": "File",
        "name": path.rpartition("/")[2],
        "contentSize": str(size_bytes),
        "encodingFormat": format_of(path),
        "identifier": identifiers,
        **({} if version is None else {"version": str(version)}),
    }


def format_of(path: str) -> str:
    """The media type of a file by its extension.

    >>> format_of("alf/spikes.times.npy"), format_of("x.cgl")
    ('application/x-npy', 'application/octet-stream')
    """
    return _FORMATS.get(path.rpartition(".")[2].lower(), _OCTETS)
