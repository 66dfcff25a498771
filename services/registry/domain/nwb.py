"""What would fail if a session were written as an NWB file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cingulum.alf.loading import LoadFile, LoadReason
from cingulum.alf.names import parse_file_name
from cingulum.alf.problems import AlfError
from cingulum.nwb.facts import Facts
from cingulum.nwb.inputs import is_input, probe_of
from cingulum.nwb.preflight import preflight

_NOTHING: Final = LoadReason(
    "nothing-for-nwb",
    "The session has no trials, spikes, wheel, licks, cameras, photometry or passive stimuli.",
    "Register them, or see which task makes them.",
)
_READY: Final = LoadReason(
    "ready-for-nwb", "Nothing is missing: a file passes the checks of DANDI.", blocks=False
)


def explain_nwb(facts: Facts, files: Sequence[LoadFile]) -> list[LoadReason]:
    """The reasons, those that block first; `files` are those of the session that the caller may know of."""
    inputs = [(file.collection, name) for file in files if (name := _input_name(file))]
    with_spikes = {probe_of(collection) for collection, name in inputs if name == ("spikes", "times")}
    located = {probe_of(collection) for collection, name in inputs if name[1] == "brainLocationIds"}
    unlocated = tuple(sorted(with_spikes - located))
    reasons = [
        LoadReason(
            problem.slug, f"{problem.sentence}.", f"{problem.next_step}.", blocks=problem.level == "blocking"
        )
        for problem in preflight(facts, probes_without_histology=unlocated)
    ]
    return ([] if inputs else [_NOTHING]) + reasons or [_READY]


def _input_name(file: LoadFile) -> tuple[str, str] | None:
    """Object and attribute of a file that an NWB file is made of; None for others."""
    try:
        name = parse_file_name(file.name)
    except AlfError:
        return None
    is_read = is_input(file.collection, name.object, name.attribute)
    return (name.object, name.attribute) if is_read else None
