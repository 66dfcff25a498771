"""All documents of an export: README, tables, manifest and RO-Crate metadata."""

from __future__ import annotations

import json
from uuid import UUID

from cingulum.export.contents import CRATE, MANIFEST, README, SIGNATURE, Contents
from cingulum.export.crate import write_crate
from cingulum.export.one_tables import describe, write_tables
from cingulum.export.readme import write_readme
from cingulum.manifests import ManifestEntry, build_manifest, parse_manifest
from cingulum.manifests.descriptions import About, release_crate


def write_documents(contents: Contents) -> dict[str, bytes]:
    """The documents by name, in the order of `DOCUMENTS`. Raises InvalidManifest for paths that no folder can hold."""
    return {
        **_write_readme_and_tables(contents),
        MANIFEST: _write_manifest(contents),
        CRATE: write_crate(contents),
    }


def write_release_documents(
    contents: Contents, about: About, manifest: bytes, signature: bytes | None
) -> dict[str, bytes]:
    """The documents of a release: its manifest and signature as they are, and the description of its record."""
    crate = release_crate(about, parse_manifest(manifest))
    return {
        **_write_readme_and_tables(contents),
        MANIFEST: manifest,
        **({} if signature is None else {SIGNATURE: signature}),
        CRATE: json.dumps(crate, indent=1, ensure_ascii=False).encode(),
    }


def _write_readme_and_tables(contents: Contents) -> dict[str, bytes]:
    description = describe(contents.created.astimezone().strftime("%Y-%m-%d %H:%M"))
    return {
        README: write_readme(contents),
        **write_tables(contents.sessions, contents.datasets, description),
    }


def _write_manifest(contents: Contents) -> bytes:
    entries = [
        ManifestEntry(
            path=file.path,
            dataset=UUID(file.dataset_id) if file.dataset_id else None,
            version=file.version,
            size=file.size_bytes,
            sha256=file.sha256,
        )
        for file in contents.files
    ]
    return build_manifest(contents.name, contents.created, entries).to_bytes()
