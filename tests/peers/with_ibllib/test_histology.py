"""ibllib's insertions, and its histology code: tracks, aligned tracks and their channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from iblatlas.atlas import ALLEN_CCF_LANDMARKS_MLAPDV_UM, BrainAtlas
from iblatlas.regions import BrainRegions
from ibllib.pipes import histology
from ibllib.pipes.misc import create_alyx_probe_insertions

from tests.peers.with_ibllib.conftest import LAB, LabServer

RESOLUTION_UM = 250.0
N_CHANNELS = 384
TRACK, ALIGNED = "Histology track", "Ephys aligned histology track"


@pytest.fixture(scope="module")
def brain() -> Any:
    """Three layers from the dorsal surface down: cortex, hippocampus, thalamus. The real atlas is a download."""
    regions = BrainRegions()
    layers = np.zeros((54, 46, 32), dtype=int)
    for acronym, depths in {"VISp5": slice(2, 10), "CA1": slice(10, 20), "TH": slice(20, 32)}.items():
        layers[:, :, depths] = int(np.flatnonzero(regions.acronym == acronym)[0])
    axes = np.array([1, 0, 2])
    origin = ALLEN_CCF_LANDMARKS_MLAPDV_UM["bregma"] / RESOLUTION_UM
    voxel_m = RESOLUTION_UM / 1e6 * np.array([1, -1, -1])
    atlas = BrainAtlas(
        (layers > 0).astype(float), layers, voxel_m, regions, iorigin=origin, dims2xyz=axes, xyz2dims=axes
    )
    atlas.compute_surface()
    atlas.res_um = RESOLUTION_UM
    return atlas


PICKS_M = np.c_[
    np.linspace(-2e-3, -1.9e-3, 6), np.linspace(-2e-3, -1.8e-3, 6), np.linspace(-4.5e-3, -5e-4, 6)
]


def insertion(server: LabServer, nickname: str) -> tuple[str, str, Path]:
    folder, eid = server.new_session(nickname)
    (made,) = create_alyx_probe_insertions(str(folder), one=server.one, model="3B2", labels=["probe00"])
    return made["id"], eid, folder


def trajectories(server: LabServer, eid: str) -> dict[str, dict[str, Any]]:
    return {row["provenance"]: row for row in server.list("trajectories", session=eid)}


def test_insertions_are_created_once_and_changed_by_force(server: LabServer) -> None:
    folder, eid = server.new_session("INS1")
    for probe in ("probe00", "probe01"):
        (folder / "raw_ephys_data" / probe).mkdir(parents=True)
    (folder / "raw_ephys_data" / "probe00" / "_spikeglx_ephysData_g0_t0.imec0.ap.meta").write_text("")
    words: dict[str, Any] = {"one": server.one, "labels": ["probe00", "probe01"]}
    first = create_alyx_probe_insertions(str(folder), model="3B2", **words)
    assert [(each["name"], each["model"], each["session"]) for each in first] == [
        ("probe00", "3B2", eid),
        ("probe01", "3B2", eid),
    ]
    assert first[0]["json"] == {"qc": "NOT_SET", "extended_qc": {}}
    again = create_alyx_probe_insertions(eid, model="3B2", **words)
    assert [each["id"] for each in again] == [each["id"] for each in first]
    forced = create_alyx_probe_insertions(str(folder), model="NP2.4", force=True, **words)
    assert [(each["id"], each["model"]) for each in forced] == [(each["id"], "NP2.4") for each in first]


def test_a_track_and_its_alignment_have_their_channels(server: LabServer, brain: Any) -> None:
    pid, eid, _ = insertion(server, "TRA1")
    words = {"one": server.one, "brain_atlas": brain}
    places, _ = histology.register_track(pid, picks=PICKS_M, **words)
    with pytest.raises(FileExistsError):
        histology.register_track(pid, picks=PICKS_M, **words)
    histology.register_track(pid, picks=PICKS_M, overwrite=True, **words)
    histology.register_aligned_track(pid, places.xyz, **words)
    histology.register_aligned_track(pid, places.xyz, overwrite=True, **words)
    rows = trajectories(server, eid)
    assert rows.keys() == {TRACK, ALIGNED}
    assert {(row["probe_name"], row["coordinate_system"]) for row in rows.values()} == {
        ("probe00", "IBL-Allen")
    }
    for row in rows.values():
        channels = server.list("channels", trajectory_estimate=row["id"])
        assert len(channels) == N_CHANNELS
        assert {channel["brain_region"] for channel in channels} == set(places.id.tolist())
    shown = server.alyx.rest("insertions", "read", id=pid, no_cache=True)["json"]
    assert (shown["extended_qc"], len(shown["xyz_picks"])) == ({"tracing_exists": True}, len(PICKS_M))
    for filters in ({"atlas_acronym": "CA1"}, {"atlas_name": "Hippocampal formation"}, {"atlas_id": 997}):
        assert [row["id"] for row in server.list("insertions", session=eid, **filters)] == [pid], filters
        assert [row["id"] for row in server.list("sessions", subject="TRA1", **filters)] == [eid], filters
    assert server.list("insertions", session=eid, atlas_acronym="MB") == []


def test_an_insertion_without_a_track_is_critical(server: LabServer, brain: Any) -> None:
    pid, eid, _ = insertion(server, "TRA2")
    histology.register_track(pid, picks=None, one=server.one, brain_atlas=brain)
    assert trajectories(server, eid)[TRACK]["x"] is None
    shown = server.alyx.rest("insertions", "read", id=pid, no_cache=True)["json"]
    assert shown == {"qc": "CRITICAL", "extended_qc": {"tracing": "CRITICAL", "tracing_exists": False}}


def test_track_files_find_or_create_their_insertion(server: LabServer, brain: Any, tmp_path: Path) -> None:
    pid, eid, _ = insertion(server, "TRA_3")
    voxels = brain.bc.xyz2i(PICKS_M).astype(float)
    voxels[:, 1] = 527 - voxels[:, 1]  # the files count from the back
    np.savetxt(tmp_path / "2026-01-05_TRA_3_001_probe00_pts.csv", voxels[:, [1, 0, 2]], delimiter=",")
    (tmp_path / "2026-01-05_TRA_3_001_probe01_pts.csv").touch()
    histology.register_track_files(tmp_path, one=server.one, brain_atlas=brain)
    rows = {row["probe_name"]: row for row in server.list("trajectories", session=eid)}
    assert (rows["probe00"]["probe_insertion"], rows["probe01"]["x"]) == (pid, None)
    assert len(server.list("channels", probe_insertion=pid)) == N_CHANNELS


def test_a_chronic_track_is_that_of_its_insertions(server: LabServer, brain: Any) -> None:
    pid, eid, _ = insertion(server, "TRA4")
    data = {"subject": "TRA4", "lab": LAB, "name": "probe00", "model": "3B2", "serial": "1912"}
    chronic = server.alyx.rest("chronic-insertions", "create", data=data | {"json": {"extended_qc": {}}})
    joined = {"chronic_insertion": chronic["id"], "serial": "1912"}
    server.alyx.rest("insertions", "partial_update", id=pid, data=joined)
    histology.register_chronic_track(chronic["id"], picks=PICKS_M, one=server.one, brain_atlas=brain)
    assert trajectories(server, eid)[TRACK]["probe_insertion"] == pid
    shown = server.alyx.rest("chronic-insertions", "read", id=chronic["id"], no_cache=True)
    assert shown["json"]["extended_qc"] == {"tracing_exists": True}
    assert [each["id"] for each in shown["probe_insertion"]] == [pid]
