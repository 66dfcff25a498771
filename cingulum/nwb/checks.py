"""What nwbinspector says of a file with the configuration that DANDI asks for."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final, NamedTuple

from nwbinspector import Importance, inspect_nwbfile, load_config

# Without histology a location is unknown; preflight reports it, and no other value would be true.
LOCATIONS: Final = "check_electrodes_location_allen_ccf"


class Message(NamedTuple):
    """One message: `must_fix` if DANDI's validation would not pass, otherwise a suggestion."""

    must_fix: bool
    check: str
    place: str
    text: str


def inspect(path: Path) -> list[Message]:
    """All messages about a file, those that must be mended first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own reading of the file
        reported = list(inspect_nwbfile(nwbfile_path=path, config=load_config("dandi")))
    messages = [
        Message(
            message.importance.value >= Importance.BEST_PRACTICE_VIOLATION.value,
            message.check_function_name,
            str(message.location or ""),
            message.message,
        )
        for message in reported
        if message is not None
    ]
    return sorted(messages, key=lambda message: (not message.must_fix, message.check, message.place))
