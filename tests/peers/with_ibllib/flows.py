"""Tasks that end in each way that ibllib's runner knows; it imports them by the name that the server keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ibllib.pipes.tasks import Pipeline, Task

MENDED = "mended.flag"


class Extraction(Task):
    """Succeeds with an output."""

    priority = 80

    def _run(self, **_: Any) -> list[Path]:
        file = Path(self.session_path) / "alf" / "spikes.times.npy"
        file.parent.mkdir(exist_ok=True)
        np.save(file, np.arange(5.0))
        return [file]


class Wheel(Task):
    """Fails until its session is mended."""

    def _run(self, **_: Any) -> list[Path]:
        if not (Path(self.session_path) / MENDED).exists():
            raise ValueError("the wheel has no samples")
        return []


class Moves(Task):
    """Depends on the wheel."""

    def _run(self, **_: Any) -> list[Path]:
        return []


class Nothing(Task):
    """Has nothing to do for this session."""

    def _run(self, **_: Any) -> None:
        return None


class Part(Task):
    """Does half of its work."""

    def run(self, **more: Any) -> int:
        super().run(**more)
        self.status = -3
        return -3

    def _run(self, **_: Any) -> list[Path]:
        return []


class Sorting(Task):
    """Needs the GPU, of which a machine has one."""

    gpu = 1

    def _run(self, **_: Any) -> list[Path]:
        return []


class Recording(Pipeline):
    """The graph of a session."""

    def __init__(self, session_path: Path, **more: Any) -> None:
        super().__init__(session_path, **more)
        first = [each(session_path) for each in (Extraction, Wheel, Nothing, Part, Sorting)]
        self.tasks.update({task.name: task for task in first})
        self.tasks["Moves"] = Moves(session_path, parents=[self.tasks["Wheel"]])
