"""Filters of registry's lists. Datasets are labelled by letters, copies as `letter@repository`."""

from __future__ import annotations

from typing import Final

from libs.common.catalogue import Service
from libs.common.schemas.files.data_notices import DataNoticeIn
from libs.common.schemas.files.datasets import DatasetIn
from libs.common.schemas.files.downloads import DownloadIn
from libs.common.schemas.files.files import FileRecordIn
from services.registry.queries.data_notice_list_filters import DataNoticeFilters
from services.registry.queries.list_filters.datasets import DatasetFilters
from services.registry.queries.list_filters.downloads import DownloadFilters
from services.registry.queries.list_filters.files import CopyFilters, FileFilters
from services.registry.queries.list_filters.vocabularies import (
    DatasetTypeFilters,
    RepositoryFilters,
    VocabularyFilters,
)
from tests.support.list_filters.tables import NOTHING, FilterTable

ENDPOINT: Final = "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"
SHA256: Final = "ab" * 32  # of dataset a

DATASETS = FilterTable(
    Service.REGISTRY,
    "/datasets",
    DatasetFilters,
    rows="a b c d e f",
    body=DatasetIn,
    unnamed=dict.fromkeys(("subject", "date", "number"), "They are of its session: `session__…`."),
    cases={
        "atlas_acronym": {"visp": "a", "CA1": "a", "MOp": "b", "VISp4": NOTHING},
        "atlas_id": {"385": "a", "985": "b", "656": NOTHING},
        "atlas_name": {"VISUAL AREA": "a", "primary motor": "b", "thalamus": NOTHING},
        "auto_datetime": {"$a_auto_datetime": "a", "2020-01-01": NOTHING},
        "created_datetime": {"$a_created_datetime": "a", "2020-01-01": NOTHING},
        "collection": {"alf": "b c d", "alf/probe00": "a", "al": NOTHING},
        "content_type": {"subject": "f", "subjects.Subject": "f", "session": NOTHING},
        "created_by": {"eve": "e", "ev": NOTHING},
        "created_date": {"$TODAY": "a b c d e f", "$YESTERDAY": NOTHING, "$TOMORROW": NOTHING},
        "created_date_gte": {"$TODAY": "a b c d e f", "$TOMORROW": NOTHING},
        "created_date_lte": {"$TODAY": "a b c d e f", "$YESTERDAY": NOTHING},
        "data_format": {"npy": "a b c d e", "$npy": "a b c d e", "np": NOTHING},
        "dataset_type": {"spikes.times": "a d", "spikes": NOTHING},
        "date": {"2024-03-02": "a b c", "2024-03-03": "e", "2024-03-05": NOTHING},
        "default_dataset": {"False": "b", "True": "a c d e f"},
        "django": {
            "qc__gte,40": "b c d",
            "qc__gt,40": "d",
            "session__isnull,True": "f",
            "hash__startswith,d": "d",
            "file_size__gte,14": "e f",
            "session__subject__nickname,KS001,session__start_time__date,2024-03-02,session__number,1,"
            "name,spikes.amps.npy,collection,alf": "b c",
            "session__subject__lab__name,coastlab": "d",
            "session__projects__name,Maze two": "e",
            "probe_insertion__name,probe00": "a",
            "field_of_view__imaging_type__name,mesoscope": "b",
            "session__field_of_view__name,probe01": "e",
            "session__users__username,bob": "a b c",
            "tags__protected,True": "b",
            "file_records__data_repository__lab__name,coastlab": "d",
            "session__probe_insertion__name,probe01": "e",
            "session__lab__repositories__name,rig_pc": "d",
            "session__data_dataset_session_related__name,clusters.depths.npy": "e",
            "dataset_type__name__in,['spikes.times', 'x'],session__id,$S1": "a",
            "revision__name,2020-01-01": "c",
            "session__start_time__date__gte,2024-03-04": "d",
            "session__subject__responsible_user__username,stock": "d",
        },
        "exists": {"True": "a b e f", "false": "c d"},  # c: of an older version; d: on a personal repository
        "experiment_number": {"001": "a b c", "4": NOTHING},
        "file_size": {"13": "d", "1": NOTHING},
        "hash": {"D" * 32: "d", "d" * 31: NOTHING},
        "id": {"$a": "a", "$S1": NOTHING},
        "lab": {"coastlab": "d", "coastlab,hilllab": "a b c d e f", "coast": NOTHING},
        "md5": {"-".join("d" * 32): "d", "d" * 31: NOTHING},
        "name": {"spikes.times.npy": "a d", "spikes.times": NOTHING},
        "object_id": {"$KS001": "f", "$S1": NOTHING},
        "probe_insertion": {"$probe00": "a", "$probe01": "e", "$probe02": NOTHING},
        "protected": {"True": "b", "False": "a c d e f"},
        "public": {"True": "a", "False": "b c d e f"},
        "qc": {"PASS": "e", "40": "b c", "0": "f"},
        "revision": {"2020-01-01": "c", "2020": NOTHING},
        "session": {"$S3": "d", "http://any/sessions/$S2": "e", "$a": NOTHING},
        "subject": {"NY001": "d", "KS001,NY001": "a b c d e f", "ny001": NOTHING, "NY00": NOTHING},
        "tag": {"paper": "a", "$frozen": "b", "paper,frozen": NOTHING, "pape": NOTHING},
        "tags": {"frozen": "b", "froze": NOTHING},
        "version": {"1.0": "a", "1": NOTHING},
    },
)

_COPIES: Final = (
    "a@fileserver a@lab_server a@central b@fileserver b@lab_server c@fileserver c@lab_server d@rig_pc"
    " e@fileserver e@lab_server f@fileserver f@lab_server"
)

# A record keeps the id of its first copy.
_RECORDS: Final = _COPIES.replace("c@", "c1@")

FILES = FilterTable(
    Service.REGISTRY,
    "/files",
    FileFilters,
    rows=_RECORDS,
    body=FileRecordIn,
    unnamed={"name": "It is the last part of `relative_path`."},
    cases={
        "data_repository": {"rig_pc": "d@rig_pc", "rig": NOTHING},
        "dataset": {"$d": "d@rig_pc", "http://any/datasets/$e": "e@fileserver e@lab_server", "$S1": NOTHING},
        "django": {
            "dataset__qc__gt,40": "d@rig_pc",
            "data_repository__name,central": "a@central",
            "dataset__session,$S3": "d@rig_pc",
            "dataset__session__subject__nickname,NY001": "d@rig_pc",
            "data_repository__lab__name,coastlab": "d@rig_pc",
            "relative_path__startswith,NY001/": "d@rig_pc",
            "dataset__tags__name,frozen": "b@fileserver b@lab_server",
            "dataset__session__projects__name,Maze two": "e@fileserver e@lab_server",
            "dataset,$b,data_repository__globus_is_personal,False": "b@fileserver",
            "relative_path,KS001/2024-03-02/001/alf/spikes.amps.npy": "b@fileserver b@lab_server",
        },
        "exists": {
            "True": "a@fileserver a@lab_server b@fileserver d@rig_pc e@fileserver e@lab_server f@fileserver",
            "False": "a@central b@lab_server c1@fileserver c1@lab_server f@lab_server",
        },
        "globus_is_personal": {
            "True": "a@lab_server b@lab_server c1@lab_server d@rig_pc e@lab_server f@lab_server",
            "False": "a@fileserver a@central b@fileserver c1@fileserver e@fileserver f@fileserver",
        },
        "id": {"$a@central": "a@central", "$a": NOTHING},
        "lab": {"coastlab,hill": "d@rig_pc", "hilllab": _RECORDS.replace(" d@rig_pc", ""), "coast": NOTHING},
        "name": {"clusters.depths.npy": "e@fileserver e@lab_server", "clusters.depths": NOTHING},
        "relative_path": {
            "NY001/2024-03-04/003/alf/spikes.times.npy": "d@rig_pc",
            "/KS001/2024-03-02/001/alf/#2020-01-01#/spikes.amps.npy": "c1@fileserver c1@lab_server",
            "NY001/2024-03-04/003/alf": NOTHING,
        },
    },
)

COPIES = FilterTable(
    Service.REGISTRY,
    "/copies",
    CopyFilters,
    rows=_COPIES,
    without=dict.fromkeys(("limit", "offset"), "They are of the page, not of the rows."),
    cases={
        "id": {"$d@rig_pc": "d@rig_pc", "$d": NOTHING},
        "session": {"$S3": "d@rig_pc", "$d": NOTHING},
        "dataset": {"$d": "d@rig_pc", "$S3": NOTHING},
        "repository": {"rig_pc": "d@rig_pc", "rig": NOTHING},
        "lab": {"coastlab": "d@rig_pc", "coast": NOTHING},
        "state": {
            "verified": "a@lab_server e@lab_server",
            "claimed": "a@fileserver b@fileserver d@rig_pc e@fileserver f@fileserver",
            "retired": NOTHING,
        },
        "order_proof": {"true": "b@lab_server", "false": _COPIES.replace(" b@lab_server", "")},
        "held_by": {"central": NOTHING, "rig_pc": "d@rig_pc"},
        "sha256": {SHA256: "a@fileserver a@lab_server a@central", "ab" * 31: NOTHING},
        "history": {"true": f"{_COPIES} c1@fileserver c1@lab_server", "false": _COPIES},
    },
)

DOWNLOADS = FilterTable(
    Service.REGISTRY,
    "/downloads",
    DownloadFilters,
    rows="1 2",
    key="count",
    body=DownloadIn,
    cases={
        "user": {"ada": "1", "root": "2", "ad": NOTHING},
        "dataset": {"spikes.times.npy": "1", "spikes.times": NOTHING},
        "dataset_type": {"LUSTERS": "2", "s%t": NOTHING},
        "count": {"2": "2", "3": NOTHING},
        "json": {"calm": "2", "c_lm": NOTHING},
        "django": {
            "count__gt,1": "2",
            "count__gte,1": "1 2",
            "dataset__session__subject__nickname,KS001": "1 2",
            "user__username,ada": "1",
            "dataset__dataset_type__name,clusters.depths": "2",
        },
    },
)

REPOSITORIES = FilterTable(
    Service.REGISTRY,
    "/data-repository",
    RepositoryFilters,
    rows="central fileserver lab_server rig_pc",
    key="name",
    cases={
        "name": {"rig_pc": "rig_pc", "rig": NOTHING},
        "globus_is_personal": {"True": "lab_server rig_pc", "False": "central fileserver"},
        "globus_endpoint_id": {ENDPOINT: "rig_pc", "$S1": NOTHING},
    },
)


def _vocabulary(path: str, name: str, part: str) -> FilterTable:
    cases = {"name": {name: name, part: NOTHING}}
    return FilterTable(Service.REGISTRY, path, VocabularyFilters, rows=None, key="name", cases=cases)


VOCABULARIES = (
    _vocabulary("/data-formats", "npy", "np"),
    FilterTable(
        Service.REGISTRY,
        "/dataset-types",
        DatasetTypeFilters,
        rows=None,
        key="name",
        cases={
            "name": {"spikes.times": "spikes.times", "spikes": NOTHING},
            "needs_review": {"true": "sniffs.times"},
        },
        without={"needs_review": "false shows all shipped types."},
    ),
    _vocabulary("/revisions", "2020-01-01", "2020"),
    _vocabulary("/tags", "paper", "pape"),
    _vocabulary("/data-repository-type", "Fileserver", "File"),
)

DATA_NOTICES = FilterTable(
    Service.REGISTRY,
    "/data-notices",
    DataNoticeFilters,
    rows="drift gap",
    key="name",
    body=DataNoticeIn,
    cases={
        "affected_date_end": {"2024-02-01": "drift", "2024-02-02": NOTHING},
        "affected_date_start": {"2024-01-01": "drift", "2024-02-01": NOTHING},
        "created_by": {"bob": "gap", "root": "drift"},
        "dataset_tag": {"paper": "drift", "pape": NOTHING},
        "datasets": {"$a": "drift", "$a,$d": "drift gap", "$e": NOTHING},
        "importance": {"50": "drift", "info": "gap"},
        "name": {"gap": "gap", "ga": NOTHING},
        "version_affected": {"1.0": "drift", "1": NOTHING},
        "django": {"importance__gt,20": "drift", "datasets__name,spikes.times.npy": "drift gap"},
    },
)

TABLES = (DATASETS, FILES, COPIES, DOWNLOADS, DATA_NOTICES, REPOSITORIES, *VOCABULARIES)
