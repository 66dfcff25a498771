"""Every field of a body is shown again: none is accepted and lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel

from libs.common.schemas.channels import ChannelIn
from libs.common.schemas.chronic_insertions import ChronicInsertionIn
from libs.common.schemas.fields_of_view import FieldOfViewIn
from libs.common.schemas.fov_locations import FovLocationIn
from libs.common.schemas.imaging_stacks import ImagingStackIn
from libs.common.schemas.insertions import InsertionIn
from libs.common.schemas.labs import LabIn
from libs.common.schemas.lines import LineIn
from libs.common.schemas.litters import LitterIn
from libs.common.schemas.locations import LocationIn
from libs.common.schemas.memberships import MembershipIn
from libs.common.schemas.notes import NoteIn
from libs.common.schemas.projects import ProjectIn
from libs.common.schemas.sessions import SessionIn
from libs.common.schemas.subjects import SubjectIn
from libs.common.schemas.surgeries import SurgeryIn
from libs.common.schemas.trajectories import TrajectoryIn
from libs.common.schemas.users import UserIn
from libs.common.schemas.vocabularies import TermIn
from libs.common.schemas.water_administrations import WaterAdministrationIn
from libs.common.schemas.water_restrictions import WaterRestrictionIn
from libs.common.schemas.weighings import WeighingIn
from services import gateway
from tests.support.cleared import find_lost_values
from tests.support.labs import Labs, a_registry, registered

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def colony(shared_labs: Labs) -> dict[str, Any]:
    """What bodies refer to: the ids that are known only here, and the labs."""
    await shared_labs.post("/alleles", name="Demo Cre allele", nickname="DemoCre")
    for path, name in (("/strains", "strain"), ("/sources", "source")):
        await shared_labs.post(path, name=name)
    await shared_labs.post("/lines", name="line", lab="hilllab")
    await shared_labs.post("/litters", name="litter", line="line")
    await shared_labs.post("/locations", name="rig", lab="hilllab")
    await shared_labs.project("maze", "ada")
    await shared_labs.animal("KS001")
    session = await shared_labs.session("KS001")
    insertion = await shared_labs.post("/insertions", session=session["id"], name="probe01")
    line = dict.fromkeys(("x", "y", "depth", "theta", "phi"))
    trajectory = await shared_labs.post(
        "/trajectories", probe_insertion=insertion["id"], provenance="Planned", **line
    )
    registry = await a_registry(shared_labs)
    [dataset] = await registered(registry, "KS001/2024-03-02/001", "raw_imaging_data_00/imaging.times.npy")
    stack = await shared_labs.post("/imaging-stack", name="roi 1")
    fov = await shared_labs.post("/fields-of-view", session=session["id"], name="FOV_01")
    chronic = await shared_labs.post("/chronic-insertions", subject="KS001", serial="18005")
    ids = {"CHRONIC": chronic["id"], "INSERTION": insertion["id"], "TRAJECTORY": trajectory["id"]}
    ids |= {"STACK": stack["id"], "FOV": fov["id"], "DATASETS": [dataset["id"]]}
    return ids | {"labs": shared_labs, "SESSION": session["id"], "SESSION_URL": session["url"]}


NOT_SHOWN = "a long enough password"

# Of each body: where it goes, every field with a value that is not its default, and fields shown otherwise than sent.
BODIES: tuple[tuple[str, type[BaseModel], dict[str, Any], dict[str, Any]], ...] = (
    (
        "/subjects",
        SubjectIn,
        {
            "nickname": "KS900", "responsible_user": "bob", "birth_date": "2024-01-01", "death_date": "2024-02-01",
            "species": "Mus musculus", "sex": "M", "litter": "litter", "strain": "strain", "source": "source",
            "line": "line", "projects": ["maze"], "lab": "hilllab", "description": "calm", "json": {"a": 1},
            "zygosities": [{"allele": "DemoCre", "zygosity": 2}], "genotype": [],
        },
        {"genotype": ("genotype", [{"allele": "DemoCre", "zygosity": 2}]),
         "zygosities": ("genotype", [{"allele": "DemoCre", "zygosity": 2}])},
    ),
    (
        "/lines",
        LineIn,
        {"name": "new_line", "nickname": "nl", "alleles": ["DemoCre"], "strain": "strain", "lab": "hilllab"},
        {},
    ),
    ("/litters", LitterIn, {"name": "new_litter", "line": "line", "birth_date": "2024-01-01"}, {}),
    (
        "/weighings",
        WeighingIn,
        {"subject": "KS001", "date_time": "2024-03-01T09:00:00", "weight": 21.5, "user": "bob"},
        {},
    ),
    (
        "/water-administrations",
        WaterAdministrationIn,
        {
            "subject": "KS001", "date_time": "2024-03-01T09:00:00", "water_administered": 0.5, "user": "bob",
            "water_type": "Hydrogel", "session": "SESSION", "adlib": True,
        },
        {},
    ),
    (
        "/sessions",
        SessionIn,
        {
            "subject": "KS001", "users": ["bob"], "location": "rig", "procedures": ["Histology"], "lab": "coastlab",
            "projects": ["maze"], "type": "Experiment", "task_protocol": "ephys", "number": 9,
            "start_time": "2024-03-01T09:00:00", "end_time": "2024-03-01T10:00:00", "narrative": "calm",
            "parent_session": "SESSION_URL", "n_correct_trials": 1, "n_trials": 2, "extended_qc": {"a": 1},
            "qc": "FAIL", "json": {"a": 1}, "import_id": "5b0e6a1c-8f6d-4a55-9a53-0c1a7b4b9d11",
        },
        {"import_id": ("id", "5b0e6a1c-8f6d-4a55-9a53-0c1a7b4b9d11")},
    ),
    (
        "/insertions",
        InsertionIn,
        {
            "session": "SESSION", "model": "3B2", "name": "probe00", "serial": "18005", "json": {"a": 1},
            "chronic_insertion": "CHRONIC", "datasets": [],
        },
        {},
    ),
    (
        "/trajectories",
        TrajectoryIn,
        {
            "probe_insertion": "INSERTION", "x": 1.5, "y": -2.5, "z": -3.5, "depth": 4000.5, "theta": 15.5,
            "phi": 180.5, "roll": 0.5, "provenance": "Ephys aligned histology track", "coordinate_system": "IBL-Allen",
            "json": {"a": 1}, "chronic_insertion": "CHRONIC",
        },
        {},
    ),
    (
        "/channels",
        ChannelIn,
        {
            "trajectory_estimate": "TRAJECTORY", "brain_region": 385, "name": "first", "json": {"a": 1}, "axial": 20.5,
            "lateral": 11.5, "x": 1.5, "y": -2.5, "z": -3.5,
        },
        {},
    ),
    (
        "/fields-of-view",
        FieldOfViewIn,
        {
            "session": "SESSION", "name": "FOV_00", "imaging_type": "mesoscope", "stack": "STACK",
            "datasets": "DATASETS", "json": {"a": 1},
        },
        {},
    ),
    (
        "/fov-location",
        FovLocationIn,
        {
            "field_of_view": "FOV", "provenance": "H", "default_provenance": True, "coordinate_system": "Needles-Allen",
            "brain_region": [385, 0], "x": [1.5, None], "y": [-2.5], "z": [-3.5], "n_xyz": [512, None, 1],
            "json": {"a": 1},
        },
        {},
    ),
    ("/imaging-stack", ImagingStackIn, {"name": "roi 2", "json": {"a": 1}}, {}),
    (
        "/notes",
        NoteIn,
        {
            "user": "bob", "date_time": "2024-03-01T09:00:00", "content_type": "session", "object_id": "SESSION",
            "text": "calm", "image": None, "width": "orig", "json": {"a": 1},
        },
        {"content_type": ("content_type", "actions.session"), "width": ("image", None)},
    ),
    (
        "/labs",
        LabIn,
        {
            "name": "new_lab", "institution": "Institute", "address": "1 Street", "timezone": "Asia/Tokyo",
            "repositories": ["fileserver"], "reference_weight_pct": 0.5, "zscore_weight_pct": 0.25, "json": {"a": 1},
        },
        {},
    ),
    (
        "/users",
        UserIn,
        {
            "username": "new_user", "subjects_responsible": [], "email": "n@example.org",
            "allowed_users": ["bob"], "is_stock_manager": True,
            "is_superuser": True, "is_staff": True, "is_public_user": True, "is_active": False,
            "password": NOT_SHOWN,
        },
        {},
    ),
    (
        "/memberships",
        MembershipIn,
        {"user": "bob", "lab": "coastlab", "role": "guest", "start_date": "2001-01-01", "end_date": "2001-02-01"},
        {},
    ),
    (
        "/projects",
        ProjectIn,
        {"name": "new_project", "description": "calm", "users": ["bob"], "is_private": True},
        {},
    ),
    ("/locations", LocationIn, {"name": "new_rig", "lab": "hilllab", "json": {"a": 1}}, {}),
    (
        "/strains",
        TermIn,
        {"name": "new_strain", "nickname": "ns", "description": "calm", "json": {"a": 1}},
        {},
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "schema", "body", "shown_as"), BODIES, ids=[path.strip("/") for path, *_ in BODIES]
)
async def test_every_field_of_a_body_is_shown_again(
    colony: dict[str, Any], path: str, schema: type[BaseModel], body: dict[str, Any], shown_as: dict[str, Any]
) -> None:
    assert body.keys() == {field.alias or name for name, field in schema.model_fields.items()}
    body = {
        name: colony.get(value, value) if isinstance(value, str) else value for name, value in body.items()
    }
    shown = await colony["labs"].post(path, **body)
    expected = dict(shown_as.get(name, (name, value)) for name, value in body.items())
    assert {name: shown.get(name, NOT_SHOWN) for name in expected} == expected


# Tags of metadata's routes whose bodies are stored as rows; those of sign-ins and tokens have tests of their own.
STORED = {
    "actions",
    "atlas",
    "colony",
    "labs",
    "locations",
    "memberships",
    "notes",
    "projects",
    "sessions",
    "users",
    "vocabularies",
}


async def test_every_stored_body_is_tested_here() -> None:
    described = json.loads((Path(gateway.__file__).parent / "static" / "schema.json").read_text())
    contents = (
        operations["post"]["requestBody"]["content"]["application/json"]
        for operations in described["paths"].values()
        if STORED.intersection(operations.get("post", {}).get("tags", ()))
    )
    posted = {content["schema"]["$ref"].rpartition("/")[2] for content in contents}
    apart = {"ChronicInsertionIn", "SessionMergeIn", "SurgeryIn", "WaterRestrictionIn"}
    assert posted == {schema.__name__ for _, schema, *_ in BODIES} | apart


SURGERY = {
    "subject": "KS001", "name": "", "lab": "hilllab", "location": "rig", "users": ["bob"], "procedures": ["Histology"],
    "narrative": "calm", "start_time": "2024-03-01T09:00:00", "end_time": "2024-03-01T10:00:00", "outcome_type": "r",
    "implant_weight": 1.5, "json": {"a": 1},
}  # fmt: skip


async def test_every_field_of_a_surgery_is_stored(colony: dict[str, Any]) -> None:
    assert SURGERY.keys() == {field.alias or name for name, field in SurgeryIn.model_fields.items()}
    labs: Labs = colony["labs"]
    shown = await labs.post("/surgeries", **SURGERY)
    by_id = {"lab", "location", "users", "procedures"}
    assert {name: shown[name] for name in SURGERY.keys() - by_id} == {
        name: value for name, value in SURGERY.items() if name not in by_id
    }
    django = "location__name,rig,users__username,bob,procedures__name,Histology,lab__name,hilllab"
    assert await labs.names("/surgeries", django=django) == [shown["id"]]


RESTRICTION = {
    "subject": "KS001", "lab": "coastlab", "start_time": "2024-03-01T09:00:00", "end_time": "2024-03-01T10:00:00",
    "reference_weight": 20.5, "water_type": "Hydrogel", "users": ["bob"], "narrative": "calm",
}  # fmt: skip


async def test_every_field_of_a_water_restriction_is_stored(colony: dict[str, Any]) -> None:
    assert RESTRICTION.keys() == set(WaterRestrictionIn.model_fields)
    labs: Labs = colony["labs"]
    shown = await labs.post("/water-restriction", **RESTRICTION)
    not_shown = {"lab", "users", "narrative"}
    assert {name: shown[name] for name in RESTRICTION.keys() - not_shown} == {
        name: value for name, value in RESTRICTION.items() if name not in not_shown
    }
    django = "narrative,calm,users__username,bob,lab__name,coastlab"
    assert await labs.names("/water-restriction", django=django, ids="true") == [shown["id"]]


CHRONIC = {
    "name": "deep", "subject": "KS001", "lab": "hilllab", "model": "NP2.4", "start_time": "2024-03-01T09:00:00",
    "end_time": "2024-03-01T10:00:00", "serial": "2011", "location": "rig", "users": ["bob"],
    "procedures": ["Histology"], "narrative": "calm", "json": {"a": 1},
}  # fmt: skip


async def test_every_field_of_a_chronic_insertion_is_stored(colony: dict[str, Any]) -> None:
    assert CHRONIC.keys() == {field.alias or name for name, field in ChronicInsertionIn.model_fields.items()}
    labs: Labs = colony["labs"]
    shown = await labs.post("/chronic-insertions", **CHRONIC)
    not_shown = {"end_time", "location", "users", "procedures", "narrative"}
    assert {name: shown[name] for name in CHRONIC.keys() - not_shown} == {
        name: value for name, value in CHRONIC.items() if name not in not_shown
    }
    django = (
        "location__name,rig,users__username,bob,procedures__name,Histology,narrative,calm,end_time__day,1"
    )
    assert await labs.names("/chronic-insertions", django=django) == [shown["id"]]


# Where a second record like the first is refused.
OTHER: dict[str, dict[str, Any]] = {
    "/sessions": {"import_id": "5b0e6a1c-8f6d-4a55-9a53-0c1a7b4b9d12"},
    "/channels": {"axial": 40.5},
    "/fov-location": {"provenance": "E"},
    "/trajectories": {"provenance": "Histology track"},
    "/memberships": {"start_date": "2002-01-01", "end_date": "2002-02-01"},
}

# What an unknown sex is, and the serial number of the chronic insertion.
CLEARED = {"/subjects": {"sex": "U"}, "/insertions": {"serial": "18005"}}


def _is_patched(path: str) -> bool:
    described = json.loads((Path(gateway.__file__).parent / "static" / "schema.json").read_text())
    return any(
        "patch" in item for detail, item in described["paths"].items() if detail.startswith(f"{path}/{{")
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *((path, body) for path, _, body, _ in BODIES if _is_patched(path)),
        ("/surgeries", SURGERY),
        ("/water-restriction", RESTRICTION),
        ("/chronic-insertions", CHRONIC),
    ],
)
async def test_null_clears_a_field_or_is_refused_by_name(
    colony: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    labs: Labs = colony["labs"]
    new = {
        name: f"{value}_2"
        for name, value in body.items()
        if name in {"nickname", "username", "name"} and value
    }
    body = body | new | OTHER.get(path, {})
    body = {
        name: colony.get(value, value) if isinstance(value, str) else value for name, value in body.items()
    }
    shown = await labs.post(path, **body)
    key = shown.get("id") or shown["name"]
    hidden = {name for name in body if name not in shown}  # such as a password; a test of its own has them
    assert (
        await find_lost_values(labs.metadata, f"{path}/{key}", body.keys() - hidden, CLEARED.get(path)) == []
    )
