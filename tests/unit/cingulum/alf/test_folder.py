"""Folders read offline: the unmodified ONE client must return the same."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from one.alf.cache import make_parquet_db
from one.alf.exceptions import ALFError
from one.api import One

from cingulum.alf import AlfError
from cingulum.alf.folder import datasets, load_collection, load_dataset, load_object, sessions
from cingulum.alf.problems import DatasetNotFound, SeveralMatches

SESSION = "labA/Subjects/m1/2024-01-02/001"
TEXTS = {
    "alf/_ibl_wheel.log.csv": 'time,side,note,,ok,time,big,gap\n1,left," a, b",,True,2.5,9007199254740993,\n'
    "2,,NA,x,False,1e-3,-1,inf\n 3,right,0x1F,1,,nan,7,-Inf\n",
    "alf/wheel.velocity.csv": "v\n1.5\n\n-2\n",
    "alf/wheel.side.csv": "side\nleft\nright\n",
    "alf/events.table.tsv": "times\tlabel\n0.5\tgo\n1\tstop\n",
    "alf/events.notes.htsv": "cluster_id\tgroup\n0\tgood\n1\tmua\n",
    "raw/_iblrig_encoder.events.ssv": "Event 5432 StateMachine 1 2018-12-13T14:24:35.1989120+00:00 \n"
    "Event 6533 StateMachine 2 2018-12-13T14:24:36.2986240+00:00 \n",
    "raw/task.settings.json": '{"a": [1, null], "b": "x"}',
    "raw/task.broken.json": "{oops",
    "raw/task.data.jsonable": '{"trial": 1}\n{"trial": 2}\n',
    "raw/task.description.yaml": "a: [1, 2]\nb: {c: x}\n",
    "raw/task.more.yml": "- 1\n- z\n",
    "raw/task.empty.npy": "",
    "raw/camera.raw.mp4": "not really",
    "raw/ephys.imec0.ap.meta": "typeThis=imec\n",
}


def write_npy(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values, allow_pickle=True)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    session = root / SESSION
    for name, text in TEXTS.items():
        (session / name).parent.mkdir(parents=True, exist_ok=True)
        (session / name).write_text(text)
    probe = session / "alf/probe00"
    for revision, scale in [("", 1), ("#2024-02-01#", 2), ("#2024-03-01#", 3)]:
        write_npy(probe / revision / "spikes.times.npy", np.arange(4.0) * scale)
    write_npy(probe / "spikes.clusters.npy", np.array([[0], [1], [1], [0]]))
    write_npy(probe / "spikes.amps_bpod.raw.npy", np.ones(4))
    write_npy(probe / "clusters.depths.npy", np.array([10.0, 20.0]))
    write_npy(session / "alf/lfp.timestamps.npy", np.array([[0, 10.0], [4, 12.0]]))
    write_npy(session / "alf/lfp.power.npy", np.ones((5, 3)))
    write_npy(session / "alf/pose.xy.npy", np.arange(6).reshape(3, 2))
    (session / "alf/pose.xy.metadata.json").write_text(json.dumps({"columns": ["x", "y"], "unit": "mm"}))
    write_npy(session / "alf/pose.likelihood.npy", np.ones(3))
    (session / "alf/pose.likelihood.metadata.json").write_text(json.dumps({"unit": "none"}))
    write_npy(session / "alf/uneven.times.npy", np.ones(3))
    write_npy(session / "alf/uneven.values.npy", np.ones(4))
    write_npy(session / "raw/task.objects.npy", np.array([{"a": 1}, None], dtype=object))
    np.savez(session / "raw/stack.frames.npz", np.arange(3))
    np.savez(session / "raw/stack.named.npz", a=np.arange(3), b=np.eye(2))
    trials = pd.DataFrame(
        {
            "choice": np.array([1, -1, 0]),
            "rewardVolume": [1.5, 0.0, np.nan],
            "intervals_0": [0.0, 1, 2],
            "intervals_1": [0.5, 1.5, 2.5],
        }
    )
    trials.to_parquet(session / "alf/_ibl_trials.table.pqt")
    trials.assign(name=["a", None, "c"]).set_index("choice").to_parquet(
        session / "alf/_ibl_passive.table.pqt"
    )
    trials[["intervals_0", "intervals_1"]].to_parquet(session / "alf/_ibl_gabor.table_bpod.raw.pqt")
    write_npy(session / "alf/_ibl_trials.goCue_times.npy", np.arange(3.0))
    return root


@pytest.fixture(scope="module")
def client(root: Path) -> One:
    ask(make_parquet_db, str(root))
    return One(cache_dir=root)


def ask(question: Callable[..., Any], *names: str, **narrowed: Any) -> Any:
    """Ask the client, whose own warnings are no concern of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return question(*names, **narrowed)


def comparable(value: Any) -> Any:
    """Data frames and archives as dicts of columns, arrays as nested lists with None for missing."""
    if isinstance(value, (dict, pd.DataFrame, np.lib.npyio.NpzFile)):
        return {name: comparable(value[name]) for name in value}
    if isinstance(value, pd.Series):
        return comparable(value.to_numpy(object))
    if isinstance(value, np.ndarray):
        return comparable(value.tolist())
    if isinstance(value, list):
        return [comparable(part) for part in value]
    if isinstance(value, Path):
        return value.as_posix()
    return None if isinstance(value, float) and np.isnan(value) else value


def close_archives(values: Iterable[Any]) -> None:
    """The client leaves the archives open that it answers."""
    for value in values:
        if isinstance(value, np.lib.npyio.NpzFile):
            value.close()


def test_every_dataset_is_listed_as_the_client_lists_it(root: Path, client: One) -> None:
    assert [(str(session), folder) for session, folder in sessions(root)] == [(SESSION, root / SESSION)]
    assert [str(dataset.rel_path) for dataset in datasets(root / SESSION)] == client.list_datasets(SESSION)


@pytest.mark.parametrize(
    "name",
    [
        *TEXTS,
        "raw/task.objects.npy",
        "raw/stack.frames.npz",
        "raw/stack.named.npz",
        "alf/_ibl_trials.table.pqt",
        "alf/_ibl_passive.table.pqt",
        "alf/probe00/spikes.clusters.npy",
        "alf/probe00/#2024-02-01#/spikes.times.npy",
    ],
)
def test_every_file_type_loads_as_the_client_loads_it(root: Path, client: One, name: str) -> None:
    ours = load_dataset(root / SESSION, name, allow_pickle=True)
    theirs = ask(client.load_dataset, SESSION, name)
    assert comparable(ours) == comparable(theirs)
    close_archives([theirs])


@pytest.mark.parametrize(
    ("name", "collection"),
    [("wheel", "alf"), ("events", None), ("lfp", None), ("pose", "alf"), ("uneven", None), ("stack", "raw"),
     ("trials", "alf"), ("gabor", "a*"), ("passive", None), ("spikes", "alf/probe00"), ("clusters", "*probe00"),
     ("camera", None), ("ephys", None)],
)  # fmt: skip
def test_every_object_loads_as_the_client_loads_it(
    root: Path, client: One, name: str, collection: str | None
) -> None:
    ours = load_object(root / SESSION, name, collection=collection)
    theirs = ask(client.load_object, SESSION, name, collection=collection)
    assert comparable(ours) == comparable(dict(theirs))
    close_archives(dict(theirs).values())


@pytest.mark.parametrize("revision", [None, "2024-01-15", "2024-02-01", "2024-02-15", "2025"])
def test_the_revision_due_is_the_clients(root: Path, client: One, revision: str | None) -> None:
    ours = load_dataset(root / SESSION, "spikes.times", collection="alf/probe00", revision=revision)
    theirs = ask(client.load_dataset, SESSION, "spikes.times", collection="alf/probe00", revision=revision)
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize(
    ("name", "collection"),
    [
        ("spikes.nothing", None),
        ("spikes.*", None),
        ("*.times*", None),
        ("spikes.times.npy", ""),
        ("spikes.times", "alf"),
    ],
)
def test_what_the_client_refuses_is_refused(
    root: Path, client: One, name: str, collection: str | None
) -> None:
    with pytest.raises((DatasetNotFound, SeveralMatches)):
        load_dataset(root / SESSION, name, collection=collection)
    with pytest.raises(ALFError):
        ask(client.load_dataset, SESSION, name, collection=collection)


def test_a_collection_loads_object_by_object(root: Path) -> None:
    probe = load_collection(root / SESSION, "alf/probe00")
    assert {name: sorted(parts) for name, parts in probe.items()} == {
        "spikes": ["amps_bpod.raw", "clusters", "times"],
        "clusters": ["depths"],
    }
    assert probe["spikes"]["times"].tolist() == [0, 3, 6, 9]
    assert list(load_collection(root / SESSION, "alf/probe00", object="cl*")) == ["clusters"]


def test_parts_narrow_an_object(root: Path) -> None:
    folder = root / SESSION
    assert set(load_object(folder, "spikes", timescale="")) == {"clusters", "times"}
    assert set(load_object(folder, "spikes", attribute=["cl*", "times"], extra="")) == {"clusters", "times"}
    with pytest.raises(AlfError, match="no part 'colour'"):
        load_object(folder, "spikes", colour="red")
    with pytest.raises(DatasetNotFound):
        load_object(folder, "spikes", namespace="ibl")


def test_doubts_are_logged(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        load_object(root / SESSION, "spikes")
        load_object(root / SESSION, "uneven")
        load_dataset(root / SESSION, "task.broken")
    assert [record.getMessage().split(":")[0].split("/")[-1] for record in caplog.records] == [
        "spikes.times.npy",
        "uneven",
        "task.broken.json is invalid JSON",
    ]


def test_a_pickle_is_not_opened_by_default(root: Path) -> None:
    with pytest.raises(AlfError, match="allow_pickle=True if you trust"):
        load_dataset(root / SESSION, "raw/task.objects.npy")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.b.npy", "no array", "cannot be read as .npy"),
        ("a.b.npz", "no archive", "cannot be read as .npz"),
        ("a.b.pqt", "no parquet", "cannot be read as .pqt"),
        ("a.b.csv", "x,y\n1,2,3\n", "row 2 has 3 fields, the header 2"),
        ("a.b.csv", "\n\n", "all lines are empty"),
        ("a.b.jsonable", "{}\nx\n", "cannot be read as .jsonable"),
        ("a.b.yaml", "a: [", "cannot be read as .yaml"),
    ],
)
def test_a_broken_file_is_named_with_the_fault(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(AlfError) as refusal:
        load_dataset(tmp_path, name)
    assert message in str(refusal.value)
    assert name in str(refusal.value)


def test_one_attribute_in_two_files_is_refused(tmp_path: Path) -> None:
    for extension in ("csv", "tsv"):
        (tmp_path / f"wheel.velocity.{extension}").write_text("v\n1\n")
    with pytest.raises(SeveralMatches, match="exists twice"):
        load_object(tmp_path, "wheel")


def test_one_row_for_all_does_not_shorten_the_times(tmp_path: Path) -> None:
    # The client takes the rows of whichever attribute comes first, so sometimes one time only.
    write_npy(tmp_path / "lfp.timestamps.npy", np.array([[0, 10.0], [4, 12.0]]))
    write_npy(tmp_path / "lfp.gain.npy", np.ones(1))
    write_npy(tmp_path / "lfp.power.npy", np.ones((5, 3)))
    assert load_object(tmp_path, "lfp")["timestamps"].tolist() == [10, 10.5, 11, 11.5, 12]


def test_a_sparse_array_without_its_reader_is_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sparse", None)
    (tmp_path / "a.b.sparse_npz").write_text("x")
    with pytest.warns(UserWarning, match="needs the package sparse"):
        assert load_dataset(tmp_path, "a.b") == tmp_path / "a.b.sparse_npz"
