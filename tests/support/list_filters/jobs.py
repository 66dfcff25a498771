"""Filters of the lists of scheduler, transfer and compressor."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.schemas.tasks import TaskIn
from services.compressor.queries.list_filters import RecordingFilters
from services.scheduler.queries.list_filters import JobFilters, TaskFilters
from services.transfer.queries.list_filters import UploadFilters
from tests.support.list_filters.tables import NOTHING, FilterTable

JOBS = FilterTable(
    Service.SCHEDULER,
    "/jobs",
    JobFilters,
    rows="first second third",
    key="task",
    cases={
        "state": {"Waiting": "first", "Complete": "second", "Held": NOTHING},
        "session": {"$S3": "third", "http://any/sessions/$S1": "first second", "$S2": NOTHING},
        "task": {"second": "second", "sec": NOTHING},
        "lab": {"coastlab": "third", "coastlab,hilllab": "first second third", "coast": NOTHING},
    },
)

TASKS = FilterTable(
    Service.SCHEDULER,
    "/tasks",
    TaskFilters,
    rows="first second third",
    key="name",
    body=TaskIn,
    cases={
        "arguments": {
            "{'pname': 'probe00'}": "first",
            '{"pname": "probe00"}': "first",
            "{}": "second third",
            "{'pname': 'probe01'}": NOTHING,
        },
        "datetime": {"$first_datetime": "first", "2020-01-01": NOTHING},
        "io_charge": {"3": "first", "1": "second third", "2": NOTHING},
        "log": {"all well": "first", "well": NOTHING},
        "time_elapsed_secs": {"1.5": "first", "1": NOTHING},
        "time_out_secs": {"60": "first", "61": NOTHING},
        "status": {"Waiting": "first", "60": "second", "Held": NOTHING},
        "session": {"$S3": "third", "http://any/sessions/$S1": "first second", "$S2": NOTHING},
        "name": {"second": "second", "sec": NOTHING},
        "lab": {"coastlab": "third", "coastlab,hilllab": "first second third", "coast": NOTHING},
        "graph": {"spikes": "first", "spike": NOTHING},
        "level": {"1": "second", "3": NOTHING},
        "priority": {"-1": "first", "7": "second", "8": NOTHING},
        "gpu": {"1": "first", "0": "second third", "2": NOTHING},
        "cpu": {"4": "second", "3": NOTHING},
        "ram": {"16": "third", "15": NOTHING},
        "data_repository": {"lab_server": "second", "$lab_server": "second", "lab": NOTHING},
        "parents": {"$first": "second", "$first,$third": NOTHING, "$second": NOTHING},
        "version": {"1.2": "third", "1": NOTHING},
        "executable": {"ibl.Spikes": "first", "Spikes": NOTHING},
        "id": {"$second": "second", "http://any/tasks/$first": "first", "$S1": NOTHING},
        "django": {
            "level__gte,1": "second third",
            "level__gt,1": "third",
            "session__lab__name__in,['coastlab'],status,40": "third",
            "session__subject__nickname,NY001": "third",
            "parents__name,first": "second",
            "children__isnull,False": "first",
            "data_repository__lab__name,hilllab": "second",
            "data_repository__name,lab_server": "second",
            "session__projects__name,Maze two": NOTHING,
            "session__projects__name,maze": "first second",
            "session__data_dataset_session_related__name,spikes.amps.npy": "first second",
            "arguments__pname,probe00": "first",
            "arguments__icontains,PROBE00": "first",
            "session__procedures__name,Nothing": NOTHING,
            "session__users__isnull,True,name,first": NOTHING,
            "parents__parents__isnull,True": "first second third",
            "log__icontains,WELL": "first",
            "session__tasks__name,second": "first second",
            "session__subject__lab__repositories__name,rig_pc": "third",
        },
    },
)

UPLOADS = FilterTable(
    Service.TRANSFER,
    "/uploads",
    UploadFilters,
    rows="announced landed",
    key="name",
    cases={
        "state": {
            "announced": "announced",
            "landed": "landed",
            "announced,landed": "announced landed",
            "arriving": NOTHING,
        },
        "copy_id": {"$a@central": "announced", "$S1": NOTHING},
    },
)

RECORDINGS = FilterTable(
    Service.COMPRESSOR,
    "/slices",
    RecordingFilters,
    rows="a e",
    key="dataset_id",
    cases={
        "session": {"$S1": "a", "http://any/sessions/$S2": "e", "$S3": NOTHING},
        "dataset": {"$a": "a", "http://any/datasets/$e": "e", "$b": NOTHING},
    },
)

TABLES = (JOBS, TASKS, UPLOADS, RECORDINGS)
