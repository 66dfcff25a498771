"""Requests as ONE, ibllib, iblrig and iblscripts send them, and the rows that they must get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from libs.common.catalogue import Service
from tests.support.list_filters.registry import ENDPOINT
from tests.support.list_filters.tables import NOTHING

M, R, S = Service.METADATA, Service.REGISTRY, Service.SCHEDULER


@dataclass(frozen=True)
class ClientRequest:
    """The path with its query as a client writes it, and the labels of its rows; `key` is the field that labels one."""

    service: Service
    path: str
    rows: str
    key: str = "id"


REQUESTS: Final = (
    # ONE: search, eid2path, path2eid and get_details
    ClientRequest(M, "/sessions?&django=pk,$S1", "S1"),
    ClientRequest(M, "/sessions?django=pk__in,('$S1', '$S3')", "S1 S3"),
    ClientRequest(M, "/sessions?django=pk__in,('$S2',)", "S2"),
    ClientRequest(M, "/sessions?subject=KS001&date_range=2024-03-02,2024-03-02&number=001", "S1"),
    ClientRequest(M, "/sessions?date_range=1677-09-21,2024-03-02&lab=hilllab", "S1"),
    ClientRequest(M, "/sessions?date_range=2024-03-04,2262-04-11", "S3"),
    ClientRequest(M, "/sessions?datasets=spikes.times.npy,spikes.amps.npy", "S1"),
    ClientRequest(M, "/insertions?session=$S1&name=probe00", "probe00"),
    ClientRequest(M, "/insertions?django=datasets__name__icontains,SPIKES", "probe00"),
    # ONE: datasets, files and aggregates
    ClientRequest(R, "/datasets?name=clusters.depths.npy&session=$S2", "e"),
    ClientRequest(R, "/datasets?exists=True&django=id__in,['$a', '$b']", "a b"),
    ClientRequest(R, "/datasets?django=session__id,$S1,dataset_type__name__in,['spikes.times', 'x']", "a"),
    ClientRequest(R, "/datasets?django=session__isnull,True", "f"),
    ClientRequest(
        R,
        "/files?django=dataset,$a,data_repository__globus_is_personal,False",
        "central fileserver",
        "data_repository",
    ),
    ClientRequest(R, "/files?django=dataset__session,$S2", "fileserver lab_server", "data_repository"),
    # ibllib, iblrig and iblscripts
    ClientRequest(M, "/sessions?django=extended_qc__has_any_keys,['tip', 'x']", "S1"),
    ClientRequest(M, "/sessions?django=start_time__date__lt,2024-03-03", "S1"),
    ClientRequest(M, "/sessions?django=~subject__nickname,KS001", "S3"),
    ClientRequest(M, "/sessions?django=data_dataset_session_related__name__icontains,clusters", "S2"),
    ClientRequest(M, "/insertions?django=datasets__tags__name,paper", "probe00"),
    ClientRequest(M, "/insertions?django=json__extended_qc__alignment_resolved,True", NOTHING),
    ClientRequest(M, "/fields-of-view?session=$S1&name=FOV_00&imaging_type=mesoscope", "F0"),
    ClientRequest(M, "/fov-location?field_of_view=$F0&provenance=ESTIMATE", "L0"),
    ClientRequest(M, "/trajectories?django=channels__brain_region__name__icontains,ca1", "T0"),
    ClientRequest(M, "/labs?django=repositories__globus_endpoint_id," + ENDPOINT, "coastlab", "name"),
    ClientRequest(M, "/notes?django=object_id,$S1,text,calm,json__name,probe", "calm", "text"),
    ClientRequest(M, "/notes?django=object_id,$S1,text__icontains,WILD", NOTHING, "text"),
    ClientRequest(M, "/weighings?django=date_time__date,2024-03-01", "20.0", "weight"),
    ClientRequest(S, "/tasks?status=Waiting&django=session__lab__name__in,['coastlab']", NOTHING),
    ClientRequest(
        S,
        "/tasks?status=Complete&django=session__lab__name__in,['hilllab'],data_repository__name,lab_server",
        "second",
    ),
)
