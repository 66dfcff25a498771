"""Figures of a session, drawn from its datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from cingulum.analysis.drawings import draw_chronometry, draw_psychometric
from cingulum.analysis.session import analyse_behaviour
from cingulum.analysis.trials import trials_from_columns
from cingulum.client.problems import ClientError, suggestion
from cingulum.figures import DriftMap, Figure, drift_map

Load = Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True)
class Drawing:
    """A figure; a notebook shows it. `figure` has its description and its numbers."""

    figure: Figure

    @property
    def svg(self) -> str:
        """The file's text."""
        return self.figure.svg

    def save(self, path: Path | str) -> None:
        """Write an .svg file."""
        Path(path).write_text(self.svg, encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg


def draw(name: str, load: Load, theme: str) -> Drawing:
    """Draw a figure of `FIGURES`. Raises ClientError for another name; what `load` raises if data are missing."""
    if name not in FIGURES:
        raise ClientError(f"no figure {name!r}: {suggestion(name, FIGURES)}")
    return Drawing(FIGURES[name](load, theme))


def _psychometric(load: Load, theme: str) -> Figure:
    return draw_psychometric(analyse_behaviour(trials_from_columns(load("trials"))), theme)


def _chronometric(load: Load, theme: str) -> Figure:
    return draw_chronometry(analyse_behaviour(trials_from_columns(load("trials"))), theme)


def _drift(load: Load, theme: str) -> Figure:
    spikes = load("spikes")
    missing = [name for name in ("times", "depths", "amps") if name not in spikes]
    if missing:
        raise ClientError(f"a drift map needs spikes.{missing[0]}, which this session does not have")
    order = np.argsort(spikes["times"], kind="stable")
    # ALF keeps volts.
    drift = DriftMap(spikes["times"][order], spikes["depths"][order], spikes["amps"][order] * 1e6)
    return drift_map(drift, theme=theme)


FIGURES: Final[Mapping[str, Callable[[Load, str], Figure]]] = {
    "psychometric": _psychometric,
    "chronometric": _chronometric,
    "drift": _drift,
}
