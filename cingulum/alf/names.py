"""File names: `[_namespace_]object.attribute[_timescale][.extra].extension`, parsed and built.

Everywhere in this package an absent part is the empty text, never None.
Source: the ALF specification of the ONE client, https://int-brain-lab.github.io/ONE/alf_intro.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cingulum.alf.advice import why_no_file_name
from cingulum.alf.patterns import match_common_file_name, match_file_name
from cingulum.alf.problems import InvalidName
from cingulum.alf.spelling import normal, why_unportable


class FileName(NamedTuple):
    """The six parts of a dataset's file name; `str()` writes the name."""

    namespace: str
    object: str
    attribute: str
    timescale: str
    extra: str
    extension: str

    @property
    def extras(self) -> tuple[str, ...]:
        """The extra parts one by one, in the order in which files are concatenated."""
        return tuple(self.extra.split(".")) if self.extra else ()

    @property
    def key(self) -> str:
        """The name under which the ONE client puts this file into its object."""
        clocked = f"{self.attribute}_{self.timescale}" if self.timescale else self.attribute
        return f"{clocked}.{self.extra}" if self.extra else clocked

    def __str__(self) -> str:
        space = f"_{self.namespace}_" if self.namespace else ""
        return f"{space}{self.object}.{self.key}.{self.extension}"


def parse_file_name(text: str) -> FileName:
    """Parse a file name; the inverse of `build_file_name`.

    Raises InvalidName with what is wrong and, where possible, a better name. Some names are invalid although the
    convention's expression would split them: those it cannot rebuild, as `_ibl.times.npy` (it reads the object
    `l`), an object that starts with an underscore, and empty extra parts.
    >>> tuple(parse_file_name("_ibl_trials.goCue_times_bpod.raw.csv"))
    ('ibl', 'trials', 'goCue_times', 'bpod', 'raw', 'csv')
    >>> parse_file_name("spikes.npy")
    Traceback (most recent call last):
    ...
    cingulum.alf.problems.InvalidName: 'spikes.npy': attribute missing: did you mean `spikes.times.npy`?
    """
    text = normal(text)
    match = match_common_file_name(text) or match_file_name(text)
    if match is None:
        raise why_no_file_name(text)
    space, thing, attribute, timescale, extra, extension = match.groups("")
    return FileName(space, thing, attribute, timescale, extra[1:], extension)


def build_file_name(parts: FileName) -> str:
    """Write a file name; the inverse of `parse_file_name`.

    Raises InvalidName if the name would not be parsed into the same parts.
    >>> build_file_name(FileName("", "spikes", "times", "ephysClock", "", "npy"))
    'spikes.times_ephysClock.npy'
    """
    text = str(parts)
    parsed = parse_file_name(text)
    for part, expected, got in zip(FileName._fields, parts, parsed, strict=True):
        if expected != got:
            raise InvalidName(
                text, part, f"{part} {expected!r} would be read back as {got!r}", "choose another name"
            )
    return text


def name_file(
    thing: str,
    attribute: str,
    extension: str,
    *,
    namespace: str = "",
    timescale: str | tuple[str, ...] = "",
    extra: str | tuple[str, ...] = "",
) -> str:
    """Compose a name from free text: spaces and underscores become camel case, acronyms stay.

    Raises InvalidName if a part contains a character that no name may have, or some file system cannot have the name.
    >>> name_file("sparse noise", "stim_on_times", ".npy", namespace="ibl", timescale=("ephys clock", "min"))
    '_ibl_sparseNoise.stimOn_times_ephysClock_min.npy'
    >>> name_file("mpci ROIs", "mask", "npy", extra=("raw", "v12"))
    'mpciROIs.mask.raw.v12.npy'
    """
    clocks = (timescale,) if isinstance(timescale, str) else timescale
    ending = re.search(r"_(?:times|timestamps|intervals)$", attribute)
    stem = attribute[: ending.start()] if ending else attribute
    name = str(
        FileName(
            namespace=namespace,
            object=camel_case(thing),
            attribute=camel_case(stem) + (ending.group() if ending else ""),
            timescale="_".join(camel_case(clock) for clock in clocks if clock),
            extra=extra if isinstance(extra, str) else ".".join(filter(None, extra)),
            extension=extension.removeprefix("."),
        )
    )
    parse_file_name(name)
    if wrong := why_unportable(name):
        raise InvalidName(name, "file", f"file name {wrong.problem}", wrong.advice)
    return name


def camel_case(words: str) -> str:
    """Join words as names of objects and attributes are written, keeping acronyms and their plurals.

    >>> camel_case("motion_energy"), camel_case("mpci ROIs"), camel_case("Spikes")
    ('motionEnergy', 'mpciROIs', 'spikes')
    """
    first, *others = re.split(r"[_\s]", words)
    if not others:
        return first[:1].lower() + first[1:]
    acronym = re.compile(r"[A-Z]+s?").fullmatch
    head = first if acronym(first) else first.lower()
    return head + "".join(word if acronym(word) else word.capitalize() for word in others)
