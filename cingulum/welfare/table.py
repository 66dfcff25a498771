"""The quantities of many moments: one array per quantity."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from cingulum.welfare.timeline import Flags, Floats, Ints, Moments

NO_AGE: Final = -(10**6)


@dataclass(frozen=True, slots=True)
class Columns:
    """Every quantity at every requested moment, in arrays of one length: grams, millilitres, percent.

    Unknown is NaN; an unknown row or status is −1.

    Under `alyx` missing weights are 0, as in Alyx. `..._row` are indices of the history's events.
    """

    moments: Moments
    age_weeks: Ints
    is_restricted: Flags
    restriction_row: Ints
    restricted_days: Ints
    weighing_row: Ints
    last_weight_g: Floats
    weighed_on_day_g: Floats
    implant_row: Ints
    implant_g: Floats
    reference_row: Ints
    reference_weighing_row: Ints
    reference_weighing_g: Floats
    reference_implant_g: Floats
    net_reference_g: Floats
    reference_age_weeks: Ints
    zscore_weight_g: Floats
    expected_g: Floats
    minimum_g: Floats
    percentage: Floats
    action_line: Floats
    endpoint_line: Floats
    status: Ints
    colour: Ints
    water_due_ml: Floats
    water_rate: Floats
    session_ml: Floats
    supplement_ml: Floats
    drunk_ml: Floats
    remaining_ml: Floats
    underweight: Ints
    not_weighed: Flags
    water_reminder: Flags
    last_water_row: Ints

    def rows(self, taken: slice) -> Columns:
        """Some of the moments: views of the same arrays."""
        return Columns(*(getattr(self, column.name)[taken] for column in fields(self)))
