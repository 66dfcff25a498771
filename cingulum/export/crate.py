"""The description of an export as an RO-Crate 1.1: what repositories and search engines read.

Source: https://www.researchobject.org/ro-crate/specification/1.1/
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Final
from urllib.parse import quote

from cingulum.alf.paths import find_session
from cingulum.export.contents import CRATE, DOCUMENTS, MANIFEST, README, Contents, ExportedFile

_CONTEXT: Final = "https://w3id.org/ro/crate/1.1/context"
_FORMATS: Final = {
    "npy": "application/x-npy",
    "pqt": "application/vnd.apache.parquet",
    "json": "application/json",
    "csv": "text/csv",
    "txt": "text/plain",
    "mp4": "video/mp4",
}
_OCTETS: Final = "application/octet-stream"
_ABOUT: Final = {
    README: "How to open and check these files",
    "sessions.pqt": "Table of sessions of the ONE client",
    "datasets.pqt": "Table of datasets of the ONE client",
    MANIFEST: "SHA-256 of every dataset",
}


def write_crate(contents: Contents) -> bytes:
    """The file ro-crate-metadata.json."""
    folders = defaultdict(list)
    for file in contents.files:
        folders[_folder_of(file.path)].append(file)
    documents = [name for name in DOCUMENTS if name != CRATE]
    parts = [*documents, *(_folder_id(folder) for folder in folders)]
    graph = [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": contents.name,
            "description": f"{len(contents.files)} datasets of {len(contents.sessions)} sessions in the ONE/ALF"
            f" convention, from {contents.source}.",
            "datePublished": contents.created.isoformat(timespec="seconds"),
            "license": {"@id": "#license"},
            "hasPart": [{"@id": part} for part in parts],
        },
        {
            "@id": "#license",
            "@type": "CreativeWork",
            "name": "No licence is stated",
            "description": "Ask the laboratory that recorded the data before you publish or share them.",
        },
        *(_document(name) for name in documents),
    ]
    for folder, files in folders.items():
        graph.append(_folder(folder, files))
        graph += map(_file, files)
    return json.dumps({"@context": _CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False).encode()


def _folder_of(path: str) -> str:
    """The folder of a file's session; for other files the one that holds them."""
    session = find_session(path)
    return str(session[1]) if session else path.rpartition("/")[0]


def _folder_id(folder: str) -> str:
    return f"{quote(folder)}/"


def _folder(folder: str, files: list[ExportedFile]) -> dict[str, Any]:
    parts = [{"@id": quote(file.path)} for file in files]
    return {"@id": _folder_id(folder), "@type": "Dataset", "name": folder, "hasPart": parts}


def _file(file: ExportedFile) -> dict[str, Any]:
    identifiers = [f"urn:sha256:{file.sha256}"]
    if file.dataset_id:
        identifiers.append(f"urn:uuid:{file.dataset_id}")
    version = {} if file.version is None else {"version": str(file.version)}
    return {
        "@id": quote(file.path),
        "@type": "File",
        "name": file.path.rpartition("/")[2],
        "contentSize": str(file.size_bytes),
        "encodingFormat": _format_of(file.path),
        "identifier": identifiers,
        **version,
    }


def _document(name: str) -> dict[str, Any]:
    return {"@id": name, "@type": "File", "name": _ABOUT[name], "encodingFormat": _format_of(name)}


def _format_of(path: str) -> str:
    return _FORMATS.get(path.rpartition(".")[2].lower(), _OCTETS)
