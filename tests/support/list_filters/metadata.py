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
from services.metadata.queries.list_filters.session_merges import SessionMergeFilters
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
    cases={
        "birth_date": {"2019-05-06": "KS001", "2019-05-07": NOTHING},
        "death_date": {"2020-05-05": "KS002", "2020-05-06": NOTHING},
        "description": {"calm": "KS001", "cal": NOTHING},
        "genotype": {"cre": "KS001", "Ai14-Cre,$cre": "KS001", "cre,flox": NOTHING},
        "id": {"$KS001": "KS001", "$S1": NOTHING},
        "json": {"rig,7": "KS001", '{"rig": 7}': "KS001", '{"rig": 7, "a": null}': NOTHING},
        "litter": {"litter_a": "KS001", "litter": NOTHING},
        "source": {"Hill Breeders": "KS001", "$Hill": "KS001", "hill breeders": NOTHING},
        "species": {"Mus testus": "KS001", "$Mus": "KS001", "Mus": NOTHING},
        "strain": {"strain_a": "KS001", "$strain_a": "KS001", "strain": NOTHING},
        "nickname": {
            "KS001": "KS001",
            "KS001,NY001": "KS001 NY001",
            "ks001": NOTHING,
            "KS00": NOTHING,
        },
        "lab": {"coastlab": "NY001", "coastlab,hilllab": "KS001 KS002 NY001", "coast": NOTHING},
        "responsible_user": {"stock": "NY001", "$user_ada": "KS001 KS002"},
        "project": {"maze": "KS001", "Maze": NOTHING},
        "projects": {"maze": "KS001", "maz": NOTHING, "maze,Maze two": NOTHING},
        "alive": {"True": "KS001 NY001", "false": "KS002"},
        "stock": {"true": "NY001", "False": "KS001 KS002"},
        "water_restricted": {"True": "KS001", "False": "NY001"},
        "search": {"cal": "KS001", "ks": "KS001 KS002", "coastlab stock": "NY001", "ada -KS001": "KS002"},
        "sex": {"F": "KS001", "U": "KS002 NY001"},
        "line": {"line_a": "KS001", "line": NOTHING},
        "django": {
            "nickname__gte,KS002": "KS002 NY001",
            "nickname__gt,KS002": "NY001",
            "actions_sessions__number,2": "KS001",
            "actions_sessions__data_dataset_session_related__name,spikes.times.npy": "KS001 NY001",
            "actions_sessions__data_dataset_session_related__file_records__data_repository__name,rig_pc": "NY001",
            "weighings__weight__gt,20": "NY001",
            "water_administrations__water_type__name,Hydrogel": "NY001",
            "actions_surgerys__procedures__name,Histology": "KS001",
            "actions_waterrestrictions__end_time__isnull,True": "KS001 KS002",
            "litter__line__name,line_a": "KS001",
            "zygosity__zygosity,1,genotype__nickname,cre": "KS001",
            "zygosity__zygosity,2": NOTHING,
            "projects__users__username,ada": "KS001",
            "lab__repositories__name,rig_pc": "NY001",
            "actions_sessions__isnull,True": "KS002",
            "~actions_sessions__isnull,True": "KS001 NY001",
            "~actions_sessions__number,3": "KS001 KS002",
            "nickname__startswith,KS,nickname__endswith,1": "KS001",
            "json__rig,7": "KS001",
            "death_date__year,2020": "KS002",
        },
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
        "nickname": {"ks001": "20.0", "KS001,NY001": "20.0 20.5", "KS00": NOTHING},
        "subject": {"NY001": "20.5", "ks001,ny001": "20.0 20.5", "NY00": NOTHING},
        "lab": {"COASTLAB": "20.5", "hilllab": "20.0", "hilllab,coastlab": "20.0 20.5"},
        "user": {"ada": "20.0", "$user_bob": "20.5", "eve": NOTHING},
        "users": {"ada": "20.0", "bob": "20.5", "eve": NOTHING},
        "id": {"$W20": "20.0", "$S1": NOTHING},
        "json": {"scale,2": "20.0", '{"scale": 2}': "20.0", "scale,3": NOTHING},
        "date_time": {"2024-03-01T23:59:59": "20.0", "2024-03-02": "20.5", "2024-03-02T00:00:01": NOTHING},
        "date_range": {
            "2024-03-01,2024-03-01": "20.0",
            "2024-03-02,2024-03-02": "20.5",
            "2024-03-01,2024-03-02": "20.0 20.5",
            "2024-03-03,2024-03-04": NOTHING,
        },
        "weight": {"20": "20.0", "20.5": "20.5", "20.49": NOTHING},
        "django": {
            "weight__gt,20": "20.5",
            "weight__gte,20": "20.0 20.5",
            "date_time__date,2024-03-01": "20.0",
            "subject__lab__name,coastlab": "20.5",
            "subject__actions_sessions__number,3": "20.5",
            "user__username,ada": "20.0",
        },
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
        "nickname": {"ks001": "1.0", "KS001,NY001": "1.0 1.5", "KS00": NOTHING},
        "subject": {"NY001": "1.5", "ks001,ny001": "1.0 1.5", "NY00": NOTHING},
        "lab": {"COASTLAB": "1.5", "hilllab": "1.0", "hilllab,coastlab": "1.0 1.5"},
        "user": {"ada": "1.0", "$user_bob": "1.5", "eve": NOTHING},
        "users": {"ada": "1.0", "bob": "1.5", "eve": NOTHING},
        "id": {"$W1": "1.0", "$S1": NOTHING},
        "json": {"pump,2": "1.0", '{"pump": 2}': "1.0", "pump,3": NOTHING},
        "date_time": {"2024-03-01T23:59:59": "1.0", "2024-03-02": "1.5", "2024-03-02T00:00:01": NOTHING},
        "session": {"$S1": "1.0", "$S2": NOTHING},
        "adlib": {"True": "1.5", "False": "1.0"},
        "water_type": {"$Hydrogel": "1.5", "Water": "1.0", "Hydro": NOTHING},
        "water_administered": {"1": "1.0", "1.5": "1.5", "1.49": NOTHING},
        "date_range": {
            "2024-03-01,2024-03-01": "1.0",
            "2024-03-02,2024-03-02": "1.5",
            "2024-03-01,2024-03-02": "1.0 1.5",
            "2024-03-03,2024-03-04": NOTHING,
        },
        "django": {
            "water_administered__lt,1.5": "1.0",
            "water_administered__lte,1.5": "1.0 1.5",
            "session__number,1": "1.0",
            "session__isnull,True": "1.5",
            "session__subject__nickname,KS001": "1.0",
            "session,$S1": "1.0",
        },
    },
)

_ACTIONS: Cases = {
    "subject": {"ks001": "KS001", "KS001,NY001": "KS001 NY001", "KS00": NOTHING},
    "nickname": {"ny001": "NY001", "NY00": NOTHING},
    "lab": {"COASTLAB": "NY001", "coastlab,hilllab": "KS001 KS002 NY001", "coast": NOTHING},
    "date_range": {
        "2020-01-01,2020-01-01": "KS001 KS002",
        "2020-01-02,2020-01-02": "NY001",
        "2020-01-01,2020-01-02": "KS001 KS002 NY001",
        "2020-01-03,2020-01-04": NOTHING,
    },
    "django": {
        "start_time__date__gt,2020-01-01": "NY001",
        "subject__nickname,KS002": "KS002",
        "users__username,ada": "KS001",
        "procedures__name__icontains,HISTO": "KS001",
        "location__lab__name,hilllab": "KS001",
        "subject__projects__name,maze": "KS001",
    },
    "end_time": {"2020-01-03T00:00:00": "NY001", "2020-01-03 00:00:00": "NY001", "2020-01-04": NOTHING},
    "location": {"IBLrig": "KS001", "iblrig_8": NOTHING},
    "narrative": {"calm": "KS001", "cal": NOTHING},
    "procedures": {"Histology": "KS001", "$Histology": "KS001", "Histo": NOTHING},
    "start_time": {"2020-01-01 23:59:59": "KS002", "2020-01-02": "NY001", "2020-01-03": NOTHING},
    "users": {"ada": "KS001", "ada,bob": NOTHING, "ad": NOTHING},
}

SURGERIES = FilterTable(
    Service.METADATA,
    "/surgeries",
    SurgeryFilters,
    rows="KS001 KS002 NY001",
    key="subject",
    body=SurgeryIn,
    unnamed={"name": "Surgeries have no names: it is accepted when empty."},
    cases={
        **_ACTIONS,
        "id": {"$KS001_surgeries": "KS001", "$S1": NOTHING},
        "implant_weight": {"1.2": "KS001", "1": NOTHING},
        "json": {"drug,none": "KS001", '{"drug": "none"}': "KS001", "drug,some": NOTHING},
        "outcome_type": {"r": "KS001", "a": NOTHING},
        "procedure": {"HISTOLOGY": "KS001", "Histo": NOTHING},
    },
)

WATER_RESTRICTIONS = FilterTable(
    Service.METADATA,
    "/water-restriction",
    WaterRestrictionFilters,
    rows="KS001 KS002 NY001",
    key="subject",
    body=WaterRestrictionIn,
    cases={
        **_ACTIONS,
        "id": {"$R1": "KS001", "$S1": NOTHING},
        "json": {"why,task": "KS001", "why,none": NOTHING},
        "reference_weight": {"20": "KS001", "20.1": NOTHING},
        "water_type": {"Hydrogel": "KS001", "$Hydrogel": "KS001", "Hydro": NOTHING},
    },
)

SESSIONS = FilterTable(
    Service.METADATA,
    "/sessions",
    SessionFilters,
    rows="1 2 3",
    key="number",
    body=SessionIn,
    unnamed={"import_id": "It is the `id`."},
    cases={
        "atlas_acronym": {"visp": "1", "CA1": "1", "MOp1": "1", "VISp4": NOTHING, "MOs1": NOTHING},
        "atlas_id": {"385": "1", "375": "1", "721": NOTHING},
        "atlas_name": {"VISUAL AREA": "1", "field ca1": "1", "primary motor": "1", "thalamus": NOTHING},
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
        "django": {
            "number__gte,2": "2 3",
            "number__gt,2": "3",
            "data_dataset_session_related__file_records__data_repository__name,rig_pc": "3",
            "data_dataset_session_related__tags__public,True": "1",
            "data_dataset_session_related__data_format__name,npy": "1 2 3",
            "data_dataset_session_related__session__number,2": "2",
            "parent_session__number,1": "2",
            "parent_session__subject__nickname,KS001": "2",
            "session__number,2": "1",
            "subject__litter__line__name,line_a": "1 2",
            "users__username,ada,users__username,bob": "1",
            "projects__name,maze,projects__name,Maze two": "2",
            "location__name,_iblrig_7": "1",
            "probe_insertion__serial__startswith,18": "1",
            "wateradmin_session_related__adlib,False": "1",
            "subject__weighings__weight,20": "1 2",
            "start_time__hour,10": "1",
            "start_time__week_day,7": "1",
            "json__rig__name__in,['rig_1']": "1",
            "extended_qc__has_any_keys,['tip']": "1",
            "extended_qc__has_key,tip": "1",
            "number,1,number,2": NOTHING,
            "number__gte,1,number__lte,2": "1 2",
            "lab__users__username,bob": "3",
            "pk__in,['$S1', '$S3']": "1 3",
            "subject__responsible_user__subjects_responsible__nickname,KS002": "1 2",
        },
        "end_time": {"2024-03-02T11:00:00": "1", "2024-03-02 11:00:00": "1", "2024-03-02": NOTHING},
        "extended_qc": {"tip,PASS": "1", "tip,FAIL": NOTHING},
        "histology": {"True": "1 2", "false": "3"},
        "id": {"$S3": "3", "$S1": "1"},
        "json": {"rig__name,rig_1": "1", '{"rig": {"name": "rig_1"}}': "1", "rig__name,rig": NOTHING},
        "auto_datetime": {"$S1_auto_datetime": "1", "2020-01-01": NOTHING},
        "lab": {"HILLLAB": "1 2", "hilllab,coastlab": "1 2 3", "hill": NOTHING},
        "location": {"IBLrig": "1", "iblrig_8": NOTHING},
        "n_correct_trials": {"80": "1", "79": "2", "8": NOTHING},
        "n_trials": {"100": "1 2", "10": NOTHING},
        "narrative": {"CAL": "1", "%": NOTHING},
        "nickname": {"ny001": "3", "ks001,ny001": "1 2 3", "NY00": NOTHING},
        "number": {"001": "1", "4": NOTHING},
        "parent_session": {"$S1": "2", "$S2": NOTHING},
        "performance_gte": {"80": "1", "79": "1 2", "80.1": NOTHING},
        "performance_lte": {"79": "2", "80": "1 2", "78.9": NOTHING},
        "procedures": {"histo": "1", "histology_": NOTHING},
        "project": {"MAZE": "1 2", "maze,two": "2"},
        "projects": {"maze": "1 2", "two": "2"},
        "qc": {"FAIL": "1", "40": "1", "0": "2 3", "30": NOTHING},
        "search": {
            "calm": "1",
            "WILD": "3",
            "hab": NOTHING,
            "ephysChoice": "1",
            "choice": NOTHING,
            "times right wheel": "2",
            '"wheel left"': "2",
            '"wheel right"': NOTHING,
            "spikes.times": "2",
            "-calm": "2 3",
            "70 -ks001": NOTHING,
            "KS001 -calm": "2",
            "coast": "3",
            "iblrig 7": "1",
            "bob -_iblrig_7": NOTHING,
            "ada": "1 2",
            "-- 70": "2",
            "two :* & | ! ( ) ' \\": "2",
        },
        "start_time": {"2024-03-02 10:00:00": "1", "2024-03-02T10:00:01": NOTHING},
        "subject": {"ks001": "1 2", "KS001,NY001": "1 2 3", "KS00": NOTHING},
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
        "django": {
            "name__gte,probe01": "probe01 probe02",
            "name__gt,probe01": "probe02",
            "session__subject__nickname,KS001": "probe00 probe01",
            "datasets__tags__name,paper": "probe00",
            "datasets__name__icontains,clusters": "probe01",
            "session__lab__name,coastlab": "probe02",
            "session__projects__name,Maze two": "probe01",
            "session__probe_insertion__name,probe02": "probe02",
            "session__data_dataset_session_related__dataset_type__name,spikes.times": "probe00 probe02",
        },
        "experiment_number": {"001": "probe00", "4": NOTHING},
        "id": {"$probe01": "probe01", "$S1": NOTHING},
        "auto_datetime": {"$probe00_auto_datetime": "probe00", "2020-01-01": NOTHING},
        "lab": {"COASTLAB": "probe02", "coastlab,hilllab": "probe00 probe01 probe02", "coast": NOTHING},
        "model": {"Neuropixel 3B2": "probe00", "3B2": NOTHING},
        "name": {"probe01": "probe01", "probe": NOTHING},
        "project": {"MAZE": "probe00 probe01", "maze,two": "probe01"},
        "serial": {"800": "probe00", "8_0": NOTHING},
        "session": {"$S3": "probe02", "$probe02": NOTHING},
        "subject": {"ks001": "probe00 probe01", "ny001,KS002": "probe02", "ks00": NOTHING},
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
        "address": {"1 Sea Road": "coastlab", "Sea": NOTHING},
        "id": {"$lab_hilllab": "hilllab", "$S1": NOTHING},
        "institution": {"Coast U": "coastlab", "Coast": NOTHING},
        "name": {"hilllab": "hilllab", "hill": NOTHING},
        "reference_weight_pct": {"0.8": "coastlab", "0": "hilllab", "0.7": NOTHING},
        "repositories": {
            "rig_pc": "coastlab",
            "fileserver,$lab_server": "hilllab",
            "fileserver,rig_pc": NOTHING,
            "rig": NOTHING,
        },
        "timezone": {"Europe/London": "hilllab", "Europe/Paris": NOTHING},
        "zscore_weight_pct": {"0.1": "coastlab", "0": "hilllab", "1": NOTHING},
        "django": {
            "name__startswith,coast": "coastlab",
            "timezone,Europe/London": "hilllab",
            "repositories__globus_endpoint_id,4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11": "coastlab",
            "subjects__nickname,NY001": "coastlab",
            "session__number,3": "coastlab",
            "users__username,ada": "hilllab",
            "locations__name,_iblrig_7": "hilllab",
            "~session__isnull,True": "coastlab hilllab",
        },
    },
)

USERS = FilterTable(
    Service.METADATA,
    "/users",
    UserFilters,
    rows="root ada bob dora stock eve",
    key="username",
    body=UserIn,
    unnamed={"password": "It is a secret."},
    cases={
        "allowed_users": {"dora": "ada", "$user_dora": "ada", "ada": NOTHING, "dora,eve": NOTHING},
        "date_joined": {"$joined": "ada", "2020-01-01": NOTHING},
        "id": {"$user_eve": "eve", "$S1": NOTHING},
        "is_active": {"false": "bob", "true": "root ada dora stock eve"},
        "is_public_user": {"True": "eve", "False": "root ada bob dora stock"},
        "is_staff": {"1": "bob", "0": "root ada dora stock eve"},
        "is_stock_manager": {"True": "stock", "False": "root ada bob dora eve"},
        "is_superuser": {"True": "root", "False": "ada bob dora stock eve"},
        "username": {"ada": "ada", "ad": NOTHING},
        "email": {"ada@example.org": "ada", "ada@example": NOTHING},
        "django": {
            "username__gte,root": "root stock",
            "username__gt,root": "stock",
            "subjects_responsible__nickname,NY001": "stock",
            "lab__name,coastlab": "bob",
            "actions_sessions__number,1": "ada bob root",  # who registers files takes part
            "allowed_users__username,dora": "ada",
            "projects__name,maze": "ada",
            "is_superuser,True": "root",
            "subjects_responsible__actions_sessions__projects__name,maze": "ada",
        },
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

SESSION_MERGES = FilterTable(
    Service.METADATA,
    "/session-merges",
    SessionMergeFilters,
    rows=NOTHING,
    cases={},
    without=dict.fromkeys(
        ("session", "undone"), "the sessions of these tests are not merged: integration/merges"
    ),
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
    SESSION_MERGES,
)
