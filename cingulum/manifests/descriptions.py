"""A release in the words of repositories: a DataCite 4.5 record, and an RO-Crate 1.1 of its manifest.

Sources: https://datacite-metadata-schema.readthedocs.io/en/4.5/ and
https://www.researchobject.org/ro-crate/specification/1.1/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from cingulum.manifests.crate_entities import crate_of, file_entity, licence_entity
from cingulum.manifests.manifest import Manifest

_ORCID: Final = "https://orcid.org"
_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class About:
    """What a manifest does not say of a release.

    authors    with `name` ("Family, Given"), and perhaps `orcid` and `affiliation`
    license    SPDX identifier, "" for none
    published  when it became, or becomes, public
    address    of its record
    """

    title: str
    description: str
    authors: Sequence[Mapping[str, str | None]]
    license: str
    doi: str | None
    published: datetime
    address: str


def datacite_record(about: About, manifest: Manifest) -> dict[str, Any]:
    """The `attributes` of DataCite's JSON, to be sent to the registrar of the DOI.

    A DOI that is not known yet is left out: the registrar adds it.
    """
    record = {
        "creators": [_creator(author) for author in about.authors],
        "titles": [{"title": about.title}],
        "publisher": {"name": _labs(manifest)},
        "publicationYear": str(about.published.year),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Neurophysiology recordings (ONE/ALF)"},
        "dates": [
            {"date": about.published.date().isoformat(), "dateType": "Available"},
            {"date": manifest.created.date().isoformat(), "dateType": "Created"},
        ],
        "sizes": [f"{manifest.size_bytes} bytes", f"{len(manifest.entries)} files"],
        "alternateIdentifiers": [
            {"alternateIdentifier": about.address, "alternateIdentifierType": "URL"},
            {
                "alternateIdentifier": manifest.root,
                "alternateIdentifierType": "Merkle root (RFC 6962, SHA-256)",
            },
        ],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    }
    if about.doi:
        record["doi"] = about.doi
    if about.description:
        record["descriptions"] = [{"description": about.description, "descriptionType": "Abstract"}]
    if about.license:
        record["rightsList"] = [
            {
                "rights": about.license,
                "rightsUri": licence_entity(about.license)["@id"],
                "rightsIdentifier": about.license,
                "rightsIdentifierScheme": "SPDX",
            }
        ]
    return record


def _creator(author: Mapping[str, str | None]) -> dict[str, Any]:
    creator: dict[str, Any] = {"name": author["name"], "nameType": "Personal"}
    if orcid := author.get("orcid"):
        creator["nameIdentifiers"] = [
            {"nameIdentifier": f"{_ORCID}/{orcid}", "nameIdentifierScheme": "ORCID", "schemeUri": _ORCID}
        ]
    if affiliation := author.get("affiliation"):
        creator["affiliation"] = [{"name": affiliation}]
    return creator


def _labs(manifest: Manifest) -> str:
    """The laboratories whose files these are: the first folder of their paths."""
    return ", ".join(sorted({entry.path.partition("/")[0] for entry in manifest.entries}))


def release_crate(about: About, manifest: Manifest) -> dict[str, Any]:
    """The content of `ro-crate-metadata.json` beside the files of a release."""
    people = [_person(author) for author in about.authors]
    licence = licence_entity(about.license)
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": about.title,
        "description": about.description or about.title,
        "datePublished": about.published.isoformat(timespec="seconds"),
        "license": {"@id": licence["@id"]},
        "author": [{"@id": person["@id"]} for person in people],
        "identifier": f"https://doi.org/{about.doi}" if about.doi else about.address,
        "hasPart": [
            {"@id": part} for part in (_MANIFEST, *(quote(entry.path) for entry in manifest.entries))
        ],
    }
    list_of_files = {
        "@id": _MANIFEST,
        "@type": "File",
        "name": "Size and SHA-256 of every file, signed with minisign",
        "encodingFormat": "application/json",
        "identifier": f"urn:merkle:sha256:{manifest.root}",
    }
    files = (
        file_entity(entry.path, entry.size, entry.sha256, entry.dataset, entry.version)
        for entry in manifest.entries
    )
    return crate_of(root, licence, *people, list_of_files, *files)


def _person(author: Mapping[str, str | None]) -> dict[str, Any]:
    orcid, affiliation = author.get("orcid"), author.get("affiliation")
    person = {
        "@id": f"{_ORCID}/{orcid}" if orcid else f"#{quote(str(author['name']))}",
        "@type": "Person",
        "name": author["name"],
    }
    return person | ({"affiliation": affiliation} if affiliation else {})
