"""Filters of metadata's lists."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.schemas.insertions import InsertionIn
from libs.common.schemas.labs import LabIn
from libs.common.schemas.notes import NoteIn
from libs.common.schemas.sessions import SessionIn
from libs.common.schemas.subjects import SubjectIn
from libs.common.schemas.surgeries import SurgeryIn
from libs.common.schemas.users import UserIn
from libs.common.schemas.water_administrations import WaterAdministrationIn
from libs.common.schemas.water_restrictions import WaterRestrictionIn
from libs.common.schemas.weighings import WeighingIn
from services.metadata.queries.list_filters.insertions import InsertionFilters
from services.metadata.queries.list_filters.labs import LabFilters
from services.metadata.queries.list_filters.locations import LocationFilters
from services.metadata.queries.list_filters.memberships import MembershipFilters
from services.metadata.queries.list_filters.notes import NoteFilters
from services.metadata.queries.list_filters.sessions import SessionFilters
from services.metadata.queries.list_filters.subjects import SubjectFilters
from services.metadata.queries.list_filters.surgeries import SurgeryFilters
from services.metadata.queries.list_filters.users import UserFilters
from services.metadata.queries.list_filters.water_administrations import WaterAdministrationFilters
from services.metadata.queries.list_filters.water_restrictions import WaterRestrictionFilters
from services.metadata.queries.list_filters.weighings import WeighingFilters
from tests.support.list_filters.tables import NOTHING, Cases, FilterTable

SUBJECTS = FilterTable(
    Service.METADATA,
    "/subjects",
    SubjectFilters,
    rows="KS001 KS002 NY001",
    key="nickname",
    body=SubjectIn,
    unnamed={"zygosities": "Genotypes are shown, not filtered."},
    cases={
        "nickname": {"KS001": "KS001", "ks001": NOTHING, "KS00": NOTHING},
        "lab": {"coastlab": "NY001", "coast": NOTHING},
        "responsible_user": {"stock": "NY001", "ada": "KS001 KS002"},
        "project": {"maze": "KS001", "Maze": NOTHING},
        "projects": {"maze": "KS001", "maz": NOTHING},
        "alive": {"True": "KS001 NY001", "false": "KS002", "perhaps": "KS001 KS002 NY001"},
        "stock": {"true": "NY001", "False": "KS001 KS002"},
        "water_restricted": {"True": "KS001", "False": "NY001"},
        "sex": {"F": "KS001", "U": "KS002 NY001"},
        "line": {"line_a": "KS001", "line": NOTHING},
        "django": {"nickname__gte,KS002": "KS002 NY001", "nickname__gt,KS002": "NY001"},
    },
)

WEIGHINGS = FilterTable(
    Service.METADATA,
    "/weighings",
    WeighingFilters,
    rows="20.0 20.5",
    key="weight",
    body=WeighingIn,
    cases={
        "nickname": {"KS001": "20.0", "KS00": NOTHING},
        "subject": {"NY001": "20.5", "NY00": NOTHING},
        "lab": {"coastlab": "20.5", "hilllab": "20.0"},
        "user": {"ada": "20.0", "bob": "20.5", "eve": NOTHING},
        "date_range": {
            "2024-03-01,2024-03-01": "20.0",
            "2024-03-02,2024-03-02": "20.5",
            "2024-03-01,2024-03-02": "20.0 20.5",
            "2024-03-03,2024-03-04": NOTHING,
        },
        "weight": {"20": "20.0", "20.5": "20.5", "20.49": NOTHING},
        "django": {"weight__gt,20": "20.5", "weight__gte,20": "20.0 20.5"},
    },
)

WATER_ADMINISTRATIONS = FilterTable(
    Service.METADATA,
    "/water-administrations",
    WaterAdministrationFilters,
    rows="1.0 1.5",
    key="water_administered",
    body=WaterAdministrationIn,
    cases={
        "nickname": {"KS001": "1.0", "KS00": NOTHING},
        "subject": {"NY001": "1.5", "NY00": NOTHING},
        "lab": {"coastlab": "1.5", "hilllab": "1.0"},
        "user": {"ada": "1.0", "bob": "1.5", "eve": NOTHING},
        "session": {"$S1": "1.0", "$S2": NOTHING},
        "adlib": {"True": "1.5", "False": "1.0"},
        "water_type": {"Hydrogel": "1.5", "Water": "1.0", "Hydro": NOTHING},
        "water_administered": {"1": "1.0", "1.5": "1.5", "1.49": NOTHING},
        "date_range": {
            "2024-03-01,2024-03-01": "1.0",
            "2024-03-02,2024-03-02": "1.5",
            "2024-03-01,2024-03-02": "1.0 1.5",
            "2024-03-03,2024-03-04": NOTHING,
        },
        "django": {"water_administered__lt,1.5": "1.0", "water_administered__lte,1.5": "1.0 1.5"},
    },
)

_ACTIONS: Cases = {
    "subject": {"KS001": "KS001", "KS00": NOTHING},
    "nickname": {"NY001": "NY001", "NY00": NOTHING},
    "lab": {"coastlab": "NY001", "coast": NOTHING},
    "date_range": {
        "2020-01-01,2020-01-01": "KS001 KS002",
        "2020-01-02,2020-01-02": "NY001",
        "2020-01-01,2020-01-02": "KS001 KS002 NY001",
        "2020-01-03,2020-01-04": NOTHING,
    },
    "django": {"start_time__date__gt,2020-01-01": "NY001", "subject__nickname,KS002": "KS002"},
}

SURGERIES, WATER_RESTRICTIONS = (
    FilterTable(Service.METADATA, path, declaration, "KS001 KS002 NY001", _ACTIONS, key="subject", body=body)
    for path, declaration, body in (
        ("/surgeries", SurgeryFilters, SurgeryIn),
        ("/water-restriction", WaterRestrictionFilters, WaterRestrictionIn),
    )
)

SESSIONS = FilterTable(
    Service.METADATA,
    "/sessions",
    SessionFilters,
    rows="1 2 3",
    key="number",
    body=SessionIn,
    cases={
        "atlas_acronym": {"visp": "1", "CA1": "1", "VISp4": NOTHING},
        "atlas_id": {"385": "1", "375": "1", "721": NOTHING},
        "atlas_name": {"VISUAL AREA": "1", "field ca1": "1", "thalamus": NOTHING},
        "dataset_qc_lte": {"PASS": "2", "30": "1 2", "FAIL": "1 2", "50": "1 2 3", "NOT_SET": NOTHING},
        "dataset_types": {
            "spikes.times": "1 3",
            "spikes.times,spikes.amps": "1",
            "spikes": NOTHING,
        },
        "datasets": {  # session 3 has the name on a personal repository only
            "spikes.times.npy": "1",
            "clusters.depths.npy": "2",
            "spikes.times.npy,clusters.depths.npy": NOTHING,
        },
        "date_range": {
            "2024-03-02,2024-03-02": "1",
            "2024-03-02,2024-03-03": "1 2",
            "1677-09-21,2024-03-03": "1 2",
            "2024-03-03,2262-04-11": "2 3",
            "2024-03-05,2024-03-06": NOTHING,
        },
        "django": {"number__gte,2": "2 3", "number__gt,2": "3"},
        "end_time": {"2024-03-02T11:00:00": "1", "2024-03-02 11:00:00": "1", "2024-03-02": NOTHING},
        "extended_qc": {"tip,PASS": "1", "tip,FAIL": NOTHING},
        "histology": {"True": "1 2", "false": "3"},
        "id": {"$S3": "3", "$S1": "1"},
        "json": {"rig__name,rig_1": "1", "rig__name,rig": NOTHING},
        "lab": {"HILLLAB": "1 2", "hill": NOTHING},
        "location": {"IBLrig": "1", "iblrig_8": NOTHING},
        "n_correct_trials": {"80": "1", "79": "2", "8": NOTHING},
        "n_trials": {"100": "1 2", "10": NOTHING},
        "narrative": {"CAL": "1", "%": NOTHING},
        "nickname": {"ny001": "3", "NY00": NOTHING},
        "number": {"001": "1", "4": NOTHING},
        "parent_session": {"$S1": "2", "$S2": NOTHING},
        "performance_gte": {"80": "1", "79": "1 2", "80.1": NOTHING},
        "performance_lte": {"79": "2", "80": "1 2", "78.9": NOTHING},
        "procedures": {"histo": "1", "histology_": NOTHING},
        "project": {"MAZE": "1 2", "maze,two": "2"},
        "projects": {"maze": "1 2", "two": "2"},
        "qc": {"FAIL": "1", "40": "1", "0": "2 3", "30": NOTHING},
        "start_time": {"2024-03-02 10:00:00": "1", "2024-03-02T10:00:01": NOTHING},
        "subject": {"ks001": "1 2", "KS00": NOTHING},
        "tag": {"APE": "1", "paper_": NOTHING},
        "task_protocol": {"ephyschoice": "1", "%": NOTHING},
        "type": {"experiment": "1", "BASE": "2", "exp": NOTHING},
        "users": {"ada": "1 2", "ada,bob": "1", "ad": NOTHING},
    },
)

INSERTIONS = FilterTable(
    Service.METADATA,
    "/insertions",
    InsertionFilters,
    rows="probe00 probe01 probe02",
    key="name",
    body=InsertionIn,
    cases={
        "atlas_acronym": {"visp": "probe00", "CA1": "probe00", "VISp4": NOTHING},
        "atlas_id": {"385": "probe00", "375": "probe00", "721": NOTHING},
        "atlas_name": {"VISUAL AREA": "probe00", "field ca1": "probe00", "thalamus": NOTHING},
        "chronic_insertion": {"$K1": "probe00", "$K2": NOTHING},
        "dataset_qc_lte": {"PASS": "probe01", "WARNING": "probe00 probe01", "50": "probe00 probe01"},
        "dataset_types": {"spikes.times": "probe00", "clusters.depths": "probe01", "spikes": NOTHING},
        "datasets": {"spikes.times.npy": "probe00", "spikes.amps.npy": NOTHING},
        "date": {"2024-03-02": "probe00", "2024-03-03": "probe01", "2024-03-05": NOTHING},
        "django": {"name__gte,probe01": "probe01 probe02", "name__gt,probe01": "probe02"},
        "experiment_number": {"001": "probe00", "4": NOTHING},
        "id": {"$probe01": "probe01", "$S1": NOTHING},
        "lab": {"COASTLAB": "probe02", "coast": NOTHING},
        "model": {"Neuropixel 3B2": "probe00", "3B2": NOTHING},
        "name": {"probe01": "probe01", "probe": NOTHING},
        "project": {"MAZE": "probe00 probe01", "maze,two": "probe01"},
        "serial": {"800": "probe00", "8_0": NOTHING},
        "session": {"$S3": "probe02", "$probe02": NOTHING},
        "subject": {"ks001": "probe00 probe01", "ks00": NOTHING},
        "tag": {"APE": "probe00", "paper_": NOTHING},
        "task_protocol": {"ephyschoice": "probe00", "%": NOTHING},
    },
)

NOTES = FilterTable(
    Service.METADATA,
    "/notes",
    NoteFilters,
    rows="calm wild",
    key="text",
    body=NoteIn,
    unnamed={"width": "It is the width of the picture that is stored."},
    cases={
        "django": {
            "text__icontains,AL": "calm",
            "object_id,$S3": "wild",
            "json__name,probe": "calm",
            "user__username,bob": "wild",
            "content_type__model,subject": NOTHING,
        }
    },
)

LABS = FilterTable(
    Service.METADATA,
    "/labs",
    LabFilters,
    rows="coastlab hilllab",
    key="name",
    body=LabIn,
    cases={
        "name": {"hilllab": "hilllab", "hill": NOTHING},
        "django": {"name__startswith,coast": "coastlab", "timezone,Europe/London": "hilllab"},
    },
)

USERS = FilterTable(
    Service.METADATA,
    "/users",
    UserFilters,
    rows="root ada bob dora stock eve",
    key="username",
    body=UserIn,
    unnamed={"allowed_users": "Delegates are shown, not filtered.", "password": "It is a secret."},
    cases={
        "username": {"ada": "ada", "ad": NOTHING},
        "email": {"ada@example.org": "ada", "ada@example": NOTHING},
        "django": {"username__gte,root": "root stock", "username__gt,root": "stock"},
    },
)

MEMBERSHIPS = FilterTable(
    Service.METADATA,
    "/memberships",
    MembershipFilters,
    rows="ada bob",
    key="user",
    cases={
        "user": {"ada": "ada", "ad": NOTHING},
        "lab": {"coastlab": "bob", "coast": NOTHING},
    },
)

LOCATIONS = FilterTable(
    Service.METADATA,
    "/locations",
    LocationFilters,
    rows="_iblrig_7 behavior%room",
    key="name",
    cases={"name": {"IBLRIG": "_iblrig_7", "r%r": "behavior%room", "i_l": NOTHING, "8": NOTHING}},
)

TABLES = (
    SUBJECTS,
    WEIGHINGS,
    WATER_ADMINISTRATIONS,
    SURGERIES,
    WATER_RESTRICTIONS,
    SESSIONS,
    INSERTIONS,
    NOTES,
    LABS,
    USERS,
    MEMBERSHIPS,
    LOCATIONS,
)
