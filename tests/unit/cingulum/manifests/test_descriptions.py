"""A release as DataCite and RO-Crate describe it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cingulum.manifests import ManifestEntry, build_manifest
from cingulum.manifests.descriptions import About, datacite_record, release_crate

PATH = "hilllab/Subjects/m 1/2024-01-02/001/alf/#v1#/a.b.npy"
DATASET = UUID("12345678-1234-4234-8234-123456789abc")
MANIFEST = build_manifest(
    "paper",
    datetime(2024, 5, 6, tzinfo=UTC),
    [
        ManifestEntry(path=PATH, size=7, sha256="a" * 64, dataset=DATASET, version=1),
        ManifestEntry(path="coastlab/Subjects/m2/2024-01-02/001/alf/a.b.npy", size=5, sha256="b" * 64),
    ],
)
ABOUT = About(
    title="Spikes",
    description="Of two mice.",
    authors=[
        {"name": "Hubel, David", "orcid": "0000-0002-1825-0097", "affiliation": "Harvard"},
        {"name": "Wiesel, Torsten"},
    ],
    license="CC-BY-4.0",
    doi="10.5281/zenodo.1",
    published=datetime(2027, 1, 1, tzinfo=UTC),
    address="https://lab.example.org/releases/paper",
)


def test_datacite_has_what_a_doi_needs() -> None:
    record = datacite_record(ABOUT, MANIFEST)
    assert record["doi"] == "10.5281/zenodo.1"
    assert record["creators"] == [
        {
            "name": "Hubel, David",
            "nameType": "Personal",
            "nameIdentifiers": [
                {
                    "nameIdentifier": "https://orcid.org/0000-0002-1825-0097",
                    "nameIdentifierScheme": "ORCID",
                    "schemeUri": "https://orcid.org",
                }
            ],
            "affiliation": [{"name": "Harvard"}],
        },
        {"name": "Wiesel, Torsten", "nameType": "Personal"},
    ]
    assert (record["publisher"], record["publicationYear"]) == ({"name": "coastlab, hilllab"}, "2027")
    assert record["sizes"] == ["12 bytes", "2 files"]
    assert record["rightsList"][0]["rightsUri"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert MANIFEST.root in str(record["alternateIdentifiers"])


def test_what_is_not_known_is_left_out() -> None:
    bare = replace(ABOUT, doi=None, license="", description="", authors=[])
    assert {"doi", "rightsList", "descriptions"} & datacite_record(bare, MANIFEST).keys() == set()
    root = _by_id(release_crate(bare, MANIFEST))["./"]
    assert (root["identifier"], root["license"]) == (ABOUT.address, {"@id": "#license"})


def _by_id(crate: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entity["@id"]: entity for entity in crate["@graph"]}


def test_a_crate_describes_every_file_and_refers_to_nothing_else() -> None:
    entities = _by_id(release_crate(ABOUT, MANIFEST))
    root = entities["./"]
    assert {part["@id"] for part in root["hasPart"]} <= entities.keys()
    assert {reference["@id"] for reference in (root["license"], *root["author"])} <= entities.keys()
    file = entities["hilllab/Subjects/m%201/2024-01-02/001/alf/%23v1%23/a.b.npy"]
    assert file["identifier"] == [f"urn:sha256:{'a' * 64}", f"urn:uuid:{DATASET}"]
    assert (file["name"], file["contentSize"]) == ("a.b.npy", "7")
    assert entities["https://orcid.org/0000-0002-1825-0097"]["affiliation"] == "Harvard"
    assert entities["manifest.json"]["identifier"].endswith(MANIFEST.root)
