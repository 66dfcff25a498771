"""One session: its datasets, loaded by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date as Date  # noqa: N812
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from cingulum.alf.contents import read_file
from cingulum.alf.folder import Dataset, read_object
from cingulum.alf.loading import LoadReason
from cingulum.client.catalogue import SessionRow
from cingulum.client.datasets import Datasets, Request, SessionDataset, resolve, select
from cingulum.client.drawing import Drawing, draw
from cingulum.client.notebook import frame
from cingulum.client.problems import Ambiguous, NoSuchData
from cingulum.client.readings import Readings
from cingulum.client.sources import Source
from cingulum.client.voltage import RECORDINGS, Units, Voltage


class Reasons(tuple[LoadReason, ...]):
    """Reasons in their order; printed, a line each."""

    __slots__ = ()

    @property
    def loads(self) -> bool:
        """Whether nothing prevents it."""
        return not any(reason.blocks for reason in self)

    def __repr__(self) -> str:
        return "\n".join(f"{reason.sentence} {reason.next_step}".strip() for reason in self)


class Session:
    """A session of a server or of a folder; `Client.session` and `Client.search` make it."""

    def __init__(self, source: Source, row: SessionRow, readings: Readings) -> None:
        self._source, self._row, self._readings = source, row, readings

    @property
    def id(self) -> str:
        """On the server (`eid` of the ONE client); of a folder without tables, computed from the path."""
        return self._row.id

    @property
    def path(self) -> str:
        """lab/Subjects/subject/date/number."""
        return str(self._row.path)

    @property
    def lab(self) -> str:
        """Empty in a folder whose paths start with the subject."""
        return self._row.path.lab

    @property
    def subject(self) -> str:
        """Nickname of the animal."""
        return self._row.path.subject

    @property
    def date(self) -> Date:
        """Day of the session, in the lab's zone."""
        return self._row.path.date

    @property
    def number(self) -> int:
        """Of the sessions of this animal on this day."""
        return self._row.path.number

    @property
    def task_protocol(self) -> str:
        """Empty if unknown."""
        return self._row.task_protocol

    @property
    def projects(self) -> tuple[str, ...]:
        """Names of its projects."""
        return self._row.projects

    @property
    def datasets(self) -> Datasets:
        """All datasets, with the revision that is read and why."""
        return self._resolved(None)

    @property
    def trials(self) -> Any:
        """The trials as a DataFrame of pandas, one row per trial."""
        return frame(self.load("trials"))

    @property
    def wheel(self) -> Any:
        """Positions of the wheel as a DataFrame of pandas."""
        return frame(self.load("wheel"))

    def load(
        self,
        name: str,
        *,
        probe: str | None = None,
        collection: str | None = None,
        revision: str | None = None,
        allow_pickle: bool = False,
    ) -> Any:
        """Read an object (`spikes`: a dict of arrays by attribute) or a dataset (`spikes.times`: its content).

        name          with or without namespace and extension, or a path below the session, which contains all else:
                      a whole path is exactly that file, in the revision that it names
        probe         a part of the collection's path, such as `probe00`
        collection    a shell pattern; needed only if several have the object
        revision      the last to be considered; else the one flagged default, else the newest
        allow_pickle  lets an .npy file run arbitrary code: only for files you trust

        Files of a server are downloaded once. Raises NoSuchData, Ambiguous, DamagedFile, ServerProblem.
        """
        request = Request(name, collection, probe, revision)
        chosen = select(self._resolved(revision), request)
        paths = self._fetch(chosen)
        if not request.is_object:
            return read_file(paths[0], allow_pickle=allow_pickle)
        files = [Dataset(dataset.rel_path, path) for dataset, path in zip(chosen, paths, strict=True)]
        return read_object(files, allow_pickle=allow_pickle)

    def download(self, name: str = "*", **narrowed: Any) -> list[str]:
        """Fetch all datasets whose name or path fits a shell pattern, and return their files' paths."""
        chosen = self._matching(name, **narrowed)
        return [str(path) for path in self._fetch(chosen)]

    def raw(self, probe: str, *, band: str = "ap", units: Units = "uV", name: str = "*ephysData*") -> Voltage:
        """The voltage of a probe: `raw("probe00")[600.0:605.0, :16]`. Floats are seconds, integers samples.

        band    `ap` or `lf`
        units   "uV" (float32), or "int" as recorded, which has the sync channel too
        name    of the dataset, if it is another; or a recording's whole name or path

        Raises NoSuchData, Ambiguous, ClientError, ServerProblem.
        """
        if name.endswith(RECORDINGS):
            request = Request(name, None, None if "/" in name else probe)
        else:
            request = Request(f"{name}.{band}", None, probe)
        chosen = request.chosen(self.datasets)
        fitting = [
            dataset for ending in RECORDINGS for dataset in chosen if dataset.row.rel_path.endswith(ending)
        ]
        if not fitting:
            raise NoSuchData(f"no {band} recording of {probe!r}: see datasets, or why_not({request.name!r})")
        # .cgl, .cbin and .bin of one name are one recording; SpikeGLX writes `…g0_t0…` and `…g1_t0…` of two.
        if len({(dataset.rel_path.collection, Path(dataset.row.rel_path).stem) for dataset in fitting}) > 1:
            listed = ", ".join(dataset.row.rel_path for dataset in fitting)
            raise Ambiguous(f"{probe!r} has {len(fitting)} recordings: pass name= for one of {listed}")
        dataset = fitting[0]
        opened = self._source.open_recording(self._row, dataset.row)
        path = f"{self.path}/{dataset.row.rel_path}"
        if opened.sha256:
            self._readings.add_remote(path, UUID(dataset.row.id), opened.size_bytes, opened.sha256)
        else:
            self._readings.add_file(path, None, self._source.fetch(self._row, [dataset.row])[0])
        return Voltage(opened.recording, opened.uv_per_bit, units)

    def figure(self, name: str, *, probe: str | None = None, theme: str = "light") -> Drawing:
        """A figure, shown by notebooks: `psychometric`, `chronometric`, or `drift` of a probe."""
        return draw(name, partial(self.load, probe=probe), theme)

    def why_not(
        self, name: str, *, probe: str | None = None, revision: str | None = None, qc: str | None = None
    ) -> Reasons:
        """Why a dataset does not load, with next steps, or that it does.

        A server knows where copies are and the job that would make the dataset; a folder only its files.
        """
        return Reasons(self._source.why_not(self._row, Request(name, None, probe, revision), qc))

    def explain(self, name: str, *, probe: str | None = None, revision: str | None = None) -> str:
        """Why each revision of a dataset is read or not, a line each."""
        request = Request(name, None, probe, revision)
        fitting = request.fitting(self._resolved(revision))
        if not fitting:
            select(self._resolved(revision), request)  # raises the error that says what there is
        return "\n".join(_explained(dataset) for dataset in fitting)

    def __repr__(self) -> str:
        return f"<Session {self.path} {self.id}>"

    def _repr_html_(self) -> str:
        return self.datasets._repr_html_()

    def _fetch(self, chosen: Sequence[SessionDataset]) -> list[Path]:
        paths = self._source.fetch(self._row, [dataset.row for dataset in chosen])
        for dataset, path in zip(chosen, paths, strict=True):
            dataset_id = UUID(dataset.row.id) if self._source.server else None
            self._readings.add_file(f"{self.path}/{dataset.row.rel_path}", dataset_id, path)
        return paths

    def _resolved(self, revision: str | None) -> Datasets:
        return resolve(self._source.datasets(self._row), revision)

    def _matching(
        self, name: str, *, probe: str | None = None, collection: str | None = None
    ) -> Sequence[SessionDataset]:
        if name == "*" and probe is None and collection is None:
            return [dataset for dataset in self.datasets if dataset.is_chosen]
        request = Request(name, collection, probe)
        return request.chosen(self.datasets) or select(self.datasets, request)


def _explained(dataset: SessionDataset) -> str:
    return f"{dataset.row.rel_path}: {'read' if dataset.is_chosen else 'not read'} ({dataset.reason})"
