"""Manifests: the exact files of a release, an export or a lock, checked and signed without a server.

`manifest` describes the format, `folders` compares a folder with a manifest, `signatures` signs it as minisign does.
"""

from __future__ import annotations

from cingulum.manifests.canonical import NotCanonical, canonical_json, parse_canonical
from cingulum.manifests.folders import FileCheck, FileState, FolderReport, verify_folder
from cingulum.manifests.manifest import (
    FORMAT,
    InvalidManifest,
    Manifest,
    ManifestEntry,
    build_manifest,
    parse_manifest,
)
from cingulum.manifests.merkle import merkle_root

__all__ = [
    "FORMAT",
    "FileCheck",
    "FileState",
    "FolderReport",
    "InvalidManifest",
    "Manifest",
    "ManifestEntry",
    "NotCanonical",
    "build_manifest",
    "canonical_json",
    "merkle_root",
    "parse_canonical",
    "parse_manifest",
    "verify_folder",
]
