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
from cingulum.manifests.crate_entities import crate_of, file_entity, format_of, licence_entity

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
    licence = licence_entity("")
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": contents.name,
        "description": f"{len(contents.files)} datasets of {len(contents.sessions)} sessions in the ONE/ALF"
        f" convention, from {contents.source}.",
        "datePublished": contents.created.isoformat(timespec="seconds"),
        "license": {"@id": licence["@id"]},
        "hasPart": [{"@id": part} for part in parts],
    }
    graph = [root, licence, *(_document(name) for name in documents)]
    for folder, files in folders.items():
        graph.append(_folder(folder, files))
        graph += map(_file, files)
    return json.dumps(crate_of(*graph), indent=1, ensure_ascii=False).encode()


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
    return file_entity(file.path, file.size_bytes, file.sha256, file.dataset_id, file.version)


def _document(name: str) -> dict[str, Any]:
    return {"@id": name, "@type": "File", "name": _ABOUT[name], "encodingFormat": format_of(name)}
