"""A load file knows every field that the server accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cingulum.client.loading.kinds import KINDS, LAB_REPOSITORIES, Kind

SCHEMA = json.loads((Path(__file__).parents[5] / "services/gateway/static/schema.json").read_text())
# Fields that a file does not have, each with the reason.
NOT_IN_FILES = {
    "labs": {"repositories": f"set by the section data_repositories, see {LAB_REPOSITORIES.section}"},
    "water_administrations": {"session": "files have no sessions"},
    "users": {"subjects_responsible": "set by the subjects' responsible_user"},
    "dataset_types": {"created_by": "the account that loads the file"},
    "subjects": {"genotype": "shown, and set by zygosities"},
    "surgeries": {"name": "refused, as it is not stored"},
}
# Fields that a file has, and that the load translates.
TRANSLATED = {
    "data_repositories": {"labs"},
    "weighings": {"lab"},
    "water_administrations": {"lab"},
}


def accepted(kind: Kind) -> set[str]:
    """The fields that the server accepts when a row of this kind is created."""
    content = SCHEMA["paths"][kind.path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return {name for schema in _resolved(content) for name in schema.get("properties", {})}


def _resolved(schema: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in schema:
        return _resolved(SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    parts = [part for key in ("anyOf", "oneOf", "allOf") for part in schema.get(key, [])]
    return [schema, *(resolved for part in parts for resolved in _resolved(part))]


@pytest.mark.parametrize("section", KINDS)
def test_a_section_knows_every_field_that_the_server_accepts(section: str) -> None:
    kind = KINDS[section]
    fields = accepted(kind)
    assert fields, "the server accepts nothing here"
    assert fields - set(kind.fields) == NOT_IN_FILES.get(section, {}).keys()
    assert set(kind.fields) - fields == TRANSLATED.get(section, set())
