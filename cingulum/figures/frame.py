"""The frame of a plot: positions of values, texts beside and above it, and the placing of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cingulum.figures import labels
from cingulum.figures.area import Area
from cingulum.figures.axes import TICK_MARK_PX, axes, grid_lines
from cingulum.figures.inputs import Floats
from cingulum.figures.lettering import LABEL_PX, TICK_PX, shortened, text_width_px
from cingulum.figures.scales import Scale
from cingulum.figures.sheet import EDGE_PX, KeyEntry, KeyMark, Sheet
from cingulum.figures.svg import element

_LANE_PX = 17.0


@dataclass(frozen=True, slots=True)
class _Label:
    text: str
    role: str
    path: Floats
    mark: KeyMark
    shape: str
    dash: str


@dataclass(frozen=True, slots=True)
class Event:
    """A mark at one x value (a dotted line) or up to `until` (shaded), named above the plot."""

    text: str
    at: float
    until: float | None = None


class Frame(Area):
    """Two scales in a box below the content of the sheet; `Panel` draws inside it."""

    def __init__(
        self,
        sheet: Sheet,
        x: Scale,
        y: Scale,
        *,
        x_label: str,
        y_label: str,
        height_px: float,
        events: Sequence[Event] = (),
        right_px: float = EDGE_PX + 4,
        grid: bool = True,
    ) -> None:
        y_ticks = y.ticks(max(6, int(height_px // 42)))
        widest = max((text_width_px(tick.label, TICK_PX) for tick in y_ticks), default=0.0)
        sheet.y += 8 + LABEL_PX
        sheet.parts.append(sheet.text(y_label, EDGE_PX, sheet.y))
        self.lane_top = sheet.y + 9
        left = EDGE_PX + widest + TICK_MARK_PX + 4
        box = labels.Box(left, self.lane_top, sheet.width_px - right_px, self.lane_top + height_px)
        super().__init__(sheet, box, x, y, y_ticks=y_ticks, x_label=x_label, grid=grid)
        self.under: list[str] = []
        self.marks: list[str] = []
        self._labels: list[_Label] = []
        self._owned: list[tuple[int, Floats]] = []
        self._key: list[KeyEntry] = []
        self._side_texts: list[str] = []
        self._event_texts = self._draw_events(events)

    def keep_clear(self, path: Floats, owner: int = -1) -> None:
        """Keep labels away from these points (n, 2), in px."""
        self._owned.append((owner, path))

    def in_key(self, label: str, role: str, mark: KeyMark) -> None:
        """Explain a mark in the key below the plot."""
        self._key.append(KeyEntry(label, role, mark))

    def close(self) -> None:
        """Draw axes, place the labels, write a key for those that do not fit, and advance the sheet."""
        sheet, box = self.sheet, self.box
        inner = labels.Box(box.left + 3, box.top, box.right, box.bottom - 3)
        names = [labels.Named(label.path, text_width_px(label.text), LABEL_PX) for label in self._labels]
        places = labels.placed(names, self._owned, inner)
        named = [
            sheet.text(label.text, place.left, place.bottom - LABEL_PX * 0.18, role=label.role, halo=True)
            for label, place in zip(self._labels, places or [], strict=False)
        ]
        if places is None:
            self._key[:0] = [
                KeyEntry(label.text, label.role, label.mark, label.shape, label.dash)
                for label in self._labels
            ]
        sheet.parts += [*self.under, *grid_lines(self), *self.marks, *axes(self)]
        sheet.parts += [*self._event_texts, *self._side_texts, *named]
        if self._key:
            sheet.y += 2
            sheet.key(self._key)

    def _name(
        self, label: str, role: str, path: Floats, mark: KeyMark, *, shape: str, dash: str = ""
    ) -> None:
        if label and len(path):
            self._labels.append(_Label(label, role, path, mark, shape, dash))
        owner = len(self._labels) - 1 if label else -1
        self.keep_clear(labels.sampled(path) if mark == "line" else path, owner)

    def _draw_events(self, events: Sequence[Event]) -> list[str]:
        """Reserve lanes above the plot for names that do not overlap; draw lines, shades and names."""
        spots = self._spots(self._nameable(events))
        lanes = labels.lanes([span for _, span in spots])
        top = self.lane_top + _LANE_PX * (max(lanes, default=-1) + 1)
        self.box = labels.Box(self.box.left, top, self.box.right, self.box.bottom + top - self.lane_top)
        texts = []
        for (event, (left, _)), lane in zip(spots, lanes, strict=True):
            lane_top = self.lane_top + _LANE_PX * lane
            self._draw_event(event, lane_top)
            if event.text:
                texts.append(self.sheet.text(event.text, left + 4, lane_top + LABEL_PX, halo=True))
        return texts

    def _nameable(self, events: Sequence[Event]) -> list[Event]:
        """If there are several shaded spans, name those that are too narrow for their name in the key."""
        most = self.box.right - self.box.left - 14
        events = [Event(shortened(event.text, most), event.at, event.until) for event in events]
        placed, spans = [], sum(event.until is not None for event in events)
        lost: set[str] = set()
        for event in events:
            left, right = self._edges(event)
            if event.until is not None and spans > 1 and right - left < text_width_px(event.text) + 10:
                lost.add(event.text)
                placed.append(Event("", event.at, event.until))
            else:
                placed.append(event)
        for text in sorted(lost):
            self.in_key(text, "band", "patch")
        return placed

    def _spots(self, events: Sequence[Event]) -> list[tuple[Event, tuple[float, float]]]:
        """Choose the side of each name, and the order of lanes, so that no line runs through a name.

        A name is right of its line if it fits before the edge, or before the next line whose name is on the left.
        Names on the left get the upper lanes, the rightmost first; the others follow from the left.
        """
        limit = self.box.right
        right_of: list[tuple[Event, tuple[float, float]]] = []
        left_of: list[tuple[Event, tuple[float, float]]] = []
        for event in sorted(events, key=lambda event: event.at, reverse=True):
            start, end = self._edges(event)
            wide = text_width_px(event.text) + 10 if event.text else 0.0
            if start + wide <= limit:
                right_of.insert(0, (event, (start, start + wide)))
                continue
            anchor = max(min(end, limit), self.box.left + wide)
            left_of.append((event, (anchor - wide, anchor)))
            limit = start if event.until is None else limit
        return left_of + right_of

    def _edges(self, event: Event) -> tuple[float, float]:
        edges = np.array([event.at, event.at if event.until is None else event.until])
        left, right = (float(edge) for edge in np.clip(self.px(edges), self.box.left, self.box.right))
        return left, right

    def _draw_event(self, event: Event, top: float) -> None:
        left, right = self._edges(event)
        if event.until is not None:
            shape = {"x": left, "y": top, "width": right - left, "height": self.box.bottom - top}
            self.under.append(element("rect", {**shape, **self.theme.fill("band")}))
            return
        ends = {"x1": left, "y1": top, "x2": left, "y2": self.box.bottom, "stroke-width": 1.25}
        self.marks.append(element("line", {**ends, **self.theme.stroke("ink"), "stroke-dasharray": "2 3"}))
        self.keep_clear(labels.sampled(np.array([[left, self.box.top], [left, self.box.bottom]])))
