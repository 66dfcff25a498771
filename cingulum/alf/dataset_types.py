"""The dataset type and the data format of a file name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

from cingulum.alf.names import parse_file_name
from cingulum.alf.not_data import why_not_data
from cingulum.alf.patterns import is_file_name
from cingulum.alf.problems import AmbiguousDatasetType, NoDatasetType, UnknownFormat
from cingulum.alf.server_names import remove_uuid


class DatasetType(NamedTuple):
    """A kind of dataset. `pattern` is a shell pattern for file names; if it is empty, the name decides."""

    name: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.name} ({self.pattern!r})" if self.pattern else f"{self.name} (by its name)"


class DatasetTypes:
    """A vocabulary of dataset types, prepared for matching many file names.

    Source: `get_dataset_type` of the ONE client's registration module.
    >>> types = DatasetTypes([("spikes.times", "*spikes.times*.npy"), ("mpci.times", "")])
    >>> types.match("_ks2_SPIKES.times.npy").name, types.match("mpci.times_clock.npy").name
    ('spikes.times', 'mpci.times')
    """

    def __init__(self, types: Iterable[tuple[str, str]]) -> None:
        """Take (name, filename pattern) pairs; a pattern of blanks counts as empty."""
        self.types = tuple(DatasetType(name, pattern.strip() and pattern) for name, pattern in types)
        self._patterns = [
            (kind, re.compile(translate(kind.pattern.casefold())).match)
            for kind in self.types
            if kind.pattern
        ]
        self._named: Mapping[str, list[DatasetType]] = {
            kind.name: [other for other in self.types if other.name == kind.name and not other.pattern]
            for kind in self.types
            if not kind.pattern
        }
        # Names recur in every session; matching 190 patterns takes 50 µs.
        self.match = lru_cache(maxsize=1 << 12)(self._match)

    def matches(self, filename: str) -> list[DatasetType]:
        """All types that a file name fits; a dataset's UUID, which names on servers contain, is ignored.

        >>> [kind.name for kind in DatasetTypes([("a", "*a.b*"), ("c", "*.npy")]).matches("a.b.npy")]
        ['a', 'c']
        """
        filename = remove_uuid(filename)
        lower = filename.casefold()
        named = self._named.get(essence(filename), [])
        return [kind for kind, fits in self._patterns if fits(lower)] + named

    def _match(self, filename: str) -> DatasetType:
        """Find the one type of a file name (no folder).

        A pattern ignores case; a type without a pattern fits if its name equals `object.attribute`
        (for a name that is not ALF: the name without its last extension), case included.
        Raises NoDatasetType and AmbiguousDatasetType.
        """
        matches = self.matches(filename)
        if len(matches) > 1:
            raise AmbiguousDatasetType(filename, tuple(str(kind) for kind in matches))
        if not matches:
            raise NoDatasetType(self._why_none(filename))
        return matches[0]

    def _why_none(self, filename: str) -> str:
        name = essence(remove_uuid(filename))
        near = self.near(name)
        if what := why_not_data(filename):
            return f"{filename!r} is not data but {what}: leave it out"
        known = next((kind for kind in self.types if kind.name in near and kind.pattern), None)
        if known:
            return f"{filename!r}: dataset type {known.name} expects names like {known.pattern!r}"
        if near:
            return f"{filename!r}: no dataset type {name!r}; did you mean `{near[0]}`, in exactly this case?"
        return (
            f"{filename!r} matches no dataset type: add a type named {name!r}, or one whose pattern fits"
            " (POST /dataset-types, or `dataset_types` in a file for `cingulum load`)"
        )

    def near(self, name: str) -> list[str]:
        """Names of types that differ from this one at most by case.

        >>> DatasetTypes([("spikes.times", "*spikes.times*.npy")]).near("Spikes.times")
        ['spikes.times']
        """
        return sorted(kind.name for kind in self.types if kind.name.casefold() == name.casefold())


def essence(filename: str) -> str:
    """`object.attribute`, or the name without its last extension when it is not ALF.

    >>> essence("_ibl_trials.goCue_times_bpod.csv"), essence("iblsorter_parameters.yaml")
    ('trials.goCue_times', 'iblsorter_parameters')
    """
    if is_file_name(filename):
        parts = parse_file_name(filename)
        return f"{parts.object}.{parts.attribute}"
    stem, dot, _ = filename.rpartition(".")
    return stem if dot and stem else filename


def match_extension(filename: str, extensions: Iterable[str]) -> str:
    """Find the data format of a file name by its last extension, dot included.

    Raises UnknownFormat.
    >>> match_extension("_spikeglx_ephysData_g0_t0.imec0.ap.cbin", [".npy", ".cbin"])
    '.cbin'
    """
    known = set(extensions)
    stem, dot, ending = filename.rpartition(".")
    extension = f".{ending}" if dot and stem.strip(".") else ""
    if not extension or extension not in known:
        shown = ", ".join(sorted(filter(None, known)))
        raise UnknownFormat(
            f"{filename!r}: extension {extension or 'missing'!r} is not a known data format: {shown}"
        )
    return extension
