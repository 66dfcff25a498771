"""The area of a plot: two scales in a box on a sheet."""

from __future__ import annotations

from cingulum.figures.inputs import Floats
from cingulum.figures.labels import Box
from cingulum.figures.scales import Scale, Tick
from cingulum.figures.sheet import Sheet


class Area:
    """Two scales in a box on a sheet: where their values are, in px."""

    def __init__(
        self, sheet: Sheet, box: Box, x: Scale, y: Scale, *, y_ticks: list[Tick], x_label: str, grid: bool
    ) -> None:
        self.sheet, self.theme, self.box, self.x, self.y = sheet, sheet.theme, box, x, y
        self.y_ticks, self.x_label, self.grid = y_ticks, x_label, grid

    def px(self, x: Floats) -> Floats:
        """Positions of x values, in px from the left."""
        return self.box.left + self.x.share(x) * (self.box.right - self.box.left)

    def py(self, y: Floats) -> Floats:
        """Positions of y values, in px from the top."""
        return self.box.bottom - self.y.share(y) * (self.box.bottom - self.box.top)
