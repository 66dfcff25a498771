"""What a .meta claims of a compressed recording is compared when it is indexed, and doubts its datasets."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from cingulum.codec import ContradictedRecording
from cingulum.codec import Recording as Opened
from libs.common.catalogue import Service
from tests.support.lab import Laboratory, laboratory, made
from tests.support.recordings import META, STEM, Compressed, a_recording
from tests.support.slices import FOLDER, indexed, proved, verified
from tests.support.system import Cingulum
from tests.support.waiting import attempts

WRONG = "fileSizeBytes=33001\nfileTimeSecs=4\n"
RIGHT = "fileSizeBytes=33000\nfileTimeSecs=3.3\nfileSHA1=0\n"
CLAIMS = [
    "the .meta: fileSizeBytes claims 33001, but the file has 33000 bytes",
    "the .meta: fileTimeSecs claims 4, but the file has 3.300000 s (3300 samples at 1000 Hz)",
]


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    return await laboratory(cingulum)


@pytest.fixture(params=["cbin", "cgl"])
def recording(tmp_path: Path, request: pytest.FixtureRequest) -> Compressed:
    return a_recording(tmp_path / "made", suffix=request.param)


def files_of(recording: Compressed, claims: str) -> dict[str, bytes]:
    return {**recording.files, f"{STEM}.meta": (META + claims).encode(), f"{STEM}.bin": recording.raw}


async def test_a_wrong_claim_of_the_meta_is_a_doubt_until_it_is_corrected(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    ids = await verified(cingulum, lab, files_of(recording, WRONG))
    [listed] = await indexed(compressor)
    assert listed["doubts"] == CLAIMS
    for name in (recording.packed, f"{STEM}.bin"):
        assert (await lab.registry.get(f"/datasets/{ids[name]}")).json()["doubts"] == CLAIMS
    assert (await lab.registry.get(f"/datasets/{ids[f'{STEM}.meta']}")).json()["doubts"] == []
    path = f"/slices/{listed['dataset_id']}?format=json&t1=0.1"
    answer = await compressor.get(path)
    assert (answer.json()["doubts"], len(answer.json()["samples"])) == (CLAIMS, 100)
    await verified(cingulum, lab, {f"{STEM}.meta": (META + RIGHT).encode()})
    async for _ in attempts():
        [listed] = await indexed(compressor)
        if not listed["doubts"]:
            break
    assert listed["doubts"] == []
    again = await compressor.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.json()["doubts"]) == (200, [])
    assert (await lab.registry.get(f"/datasets/{ids[f'{STEM}.bin']}")).json()["doubts"] == []


@pytest.mark.parametrize("is_true", [True, False])
async def test_a_recording_is_proved_by_the_hash_of_its_meta(
    cingulum: Cingulum, lab: Laboratory, tmp_path: Path, is_true: bool
) -> None:
    recording = a_recording(tmp_path / "made", suffix="cbin")
    header = json.loads(recording.files[f"{STEM}.ch"])
    hashless = json.dumps({key: value for key, value in header.items() if not key.startswith("sha")})
    sha1 = hashlib.sha1(recording.raw + (b"" if is_true else b"more"), usedforsecurity=False).hexdigest()
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    files = files_of(recording, f"fileSHA1={sha1.upper()}\n") | {f"{STEM}.ch": hashless.encode()}
    ids = await verified(cingulum, lab, files)
    listed = await proved(compressor)
    assert bool(listed["proved_at"]) is is_true
    assert listed["doubts"] == ([] if is_true else [listed["proof_problem"]])
    packed = (await lab.registry.get(f"/datasets/{ids[recording.packed]}")).json()
    assert packed["doubts"] == listed["doubts"]
    mended = META + f"fileSHA1={hashlib.sha1(recording.raw, usedforsecurity=False).hexdigest()}\n"
    await verified(cingulum, lab, {f"{STEM}.meta": mended.encode()})
    async for _ in attempts():
        if (listed := await proved(compressor))["proved_at"]:
            break
    assert (bool(listed["proved_at"]), listed["doubts"], listed["proof_problem"]) == (True, [], "")


UUIDS = [f"8f81ad37-a9ea-4406-9de4-46531d83374{n}" for n in "abcd"]


def as_downloaded(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files, each with a UUID of its own in its name."""
    named = (name.rpartition(".") for name in files)
    return {
        f"{n[0]}.{uuid}.{n[2]}": data for n, uuid, data in zip(named, UUIDS, files.values(), strict=False)
    }


async def test_companions_whose_names_carry_other_uuids_belong_to_their_recording(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    for end in ("bin", "cbin", "cgl"):
        kind = {"name": f"ephysData.download{end}", "filename_pattern": f"*.ap.*-*.{end}"}
        await made(lab.registry.as_(lab.administrator), "/dataset-types", kind)
    files = as_downloaded(files_of(recording, WRONG))
    ids = await verified(cingulum, lab, files)
    [listed] = await indexed(compressor)
    assert listed["doubts"] == CLAIMS
    [raw] = [name for name in files if name.endswith(".bin")]
    (copy,) = (
        await lab.registry.get("/copies", params={"dataset": str(ids[raw]), "repository": "central"})
    ).json()["results"]
    reasons = (await lab.registry.get(f"/copies/{copy['id']}/retirement")).json()["reasons"]
    obstacles = {reason["obstacle"] for reason in reasons}
    assert "doubted" in obstacles
    assert "form-replaced" not in obstacles  # the .ch is there

    # With a second .meta it is ambiguous which is meant, until one has the name of the recording.
    meta = (META + RIGHT).encode()
    await verified(cingulum, lab, {f"{STEM}.meta": meta})
    async for _ in attempts():
        answer = await compressor.get(f"/slices/{listed['dataset_id']}?format=json&t1=0.1")
        if answer.status_code == 409:
            break
    assert "several files could be its .meta" in answer.text
    [packed] = [name for name in files if name.endswith((".cbin", ".cgl"))]
    await verified(cingulum, lab, {f"{packed.rpartition('.')[0]}.meta": meta})
    async for _ in attempts():
        answer = await compressor.get(f"/slices/{listed['dataset_id']}?format=json&t1=0.1")
        if answer.status_code == 200:
            break
    assert answer.json()["doubts"] == []


async def test_a_raw_copy_stays_where_its_recording_is_doubted(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    ids = await verified(cingulum, lab, files_of(recording, WRONG))
    await indexed(compressor)
    for name in (f"{STEM}.bin", recording.packed):
        (copy,) = (
            await lab.registry.get("/copies", params={"dataset": str(ids[name]), "repository": "central"})
        ).json()["results"]
        decision = (await lab.registry.get(f"/copies/{copy['id']}/retirement")).json()
        doubted = [reason["text"] for reason in decision["reasons"] if reason["obstacle"] == "doubted"]
        assert not decision["may_retire"]
        assert [claim in text for claim, text in zip(CLAIMS, doubted, strict=True)] == [True, True]
        answer = await lab.registry.post(f"/copies/{copy['id']}/retire", {"reason": "the disk is full"})
        assert answer.status_code == 409
    raw = f"/datasets/{ids[f'{STEM}.bin']}"
    assert (await lab.registry.get(raw)).json()["doubts"]
    deleted = await lab.registry.as_(lab.administrator).delete(f"/datasets/{ids[recording.packed]}")
    assert deleted.status_code == 204, deleted.text
    assert (await lab.registry.get(raw)).json()["doubts"] == []


async def test_a_recording_over_http_warns_of_what_the_service_doubts(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    await verified(cingulum, lab, files_of(recording, WRONG))
    [listed] = await indexed(compressor)
    assert f"{FOLDER}/{recording.packed}" == listed["relative_path"]
    address = f"http://server/slices/{listed['dataset_id']}"
    body = (await compressor.get("/slices")).json()

    class Response:
        """The service's list, without a port of its own."""

        def get(self, _address: str, **_more: object) -> Response:
            return self

        def raise_for_status(self) -> None: ...

        def json(self) -> object:
            return body

        def close(self) -> None: ...

    monkeypatch.setattr("cingulum.codec.remote.http_client", lambda _headers: Response())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        opened = Opened.open(address)
    assert opened.contradictions == tuple(CLAIMS)
    assert [str(warning.message) for warning in warned if warning.category is ContradictedRecording] == [
        "; ".join(CLAIMS)
    ]
    assert opened.shape == np.shape(recording.samples)
