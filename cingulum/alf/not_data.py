"""Files in session folders that are no data: signals between a rig's programs, and what operating systems leave."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

_KINDS: Final = (
    (r".+\.flag|[a-z_]+_me\.error|.+\.status_[a-z]+", "a flag of the rig's programs"),
    (r"(?:eh)?thumbs\.db|desktop\.ini|icon\r?|\.ds_store|\._.*", "left by the operating system"),
    (r"~\$.*|\.~lock\..*|.*\.(?:tmp|temp|part|partial|crdownload|swp|lock)|.*~", "a temporary file"),
)
_OF_PROGRAMS: Final = {
    "Open Ephys": frozenset(
        {
            "continuous.dat",
            "structure.oebin",
            "sample_numbers.npy",
            "full_words.npy",
            "states.npy",
            "settings.xml",
            "sync_messages.txt",
        }
    ),
}
_COMPILED: Final = tuple((re.compile(pattern, re.IGNORECASE).fullmatch, what) for pattern, what in _KINDS)


def why_not_data(name: str) -> str | None:
    """What a file is that is no data by its name; None for any other name.

    >>> why_not_data("transfer_me.flag"), why_not_data("Thumbs.db"), why_not_data("spikes.npy")
    ("a flag of the rig's programs", 'left by the operating system', None)
    """
    return next((what for matches, what in _COMPILED if matches(name)), None)


def why_no_dataset(path: str) -> str | None:
    """Why a file is no dataset although its name need not be mended; None for a name to be parsed.

    >>> why_no_dataset(".git/config"), why_no_dataset("001/raw_session.flag")
    ('hidden file: not a dataset, ignored by clients', "not data: a flag of the rig's programs, ignored by clients")
    >>> why_no_dataset("recording1/structure.oebin")
    'a file of Open Ephys: kept under its own name'
    """
    parts = PurePosixPath(path).parts
    if any(part.startswith(".") for part in parts):
        return "hidden file: not a dataset, ignored by clients"
    if what := why_not_data(parts[-1]):
        return f"not data: {what}, ignored by clients"
    program = next((program for program, names in _OF_PROGRAMS.items() if parts[-1] in names), None)
    return program and f"a file of {program}: kept under its own name"
