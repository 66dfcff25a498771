"""What companion files claim of a recording, and where the recording contradicts them. Pure: no file is opened here.

A companion is a file beside a recording that describes it: SpikeGLX's .meta, mtscomp's .ch, Open Ephys's
structure.oebin. `contradictions` is the one check that the command line, the compress job, `Recording` and the
compressor service use.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_WHOLE = re.compile(r"[0-9]{1,18}(?:\.0+)?\Z")
_DECIMAL = re.compile(r"[0-9]{1,18}(?:\.([0-9]*))?(?:[eE][-+]?[0-9]{1,3})?\Z")
_HEX = re.compile(r"[0-9a-f]+\Z")
SHA1_DIGITS: Final = 40
SHA256_DIGITS: Final = 64
_CHANNEL_COUNT = re.compile(r"[0-9]{1,9}\Z")
RATE_KEYS: Final = ("imSampRate", "niSampRate", "obSampRate")
SUBSET_KEY: Final = "snsSaveChanSubset"  # such as 0:383,768; or `all`
_SUBSET = re.compile(r"[0-9]{1,6}(:[0-9]{1,6})?(,[0-9]{1,6}(:[0-9]{1,6})?)*\Z")
_RANGES = re.compile(r"([0-9]+)(?::([0-9]+))?")
COUNT_KEYS: Final = ("snsApLfSy", "snsMnMaXaDw", "snsXaDwSy")
_LONGEST_SHOWN = 80
PRINTED_DIGITS = 6  # the default of C's and Qt's %g, which SpikeGLX used for years
RATE_TOLERANCE = 1e-6


class Fact(StrEnum):
    """What a claim is about."""

    SIZE = "size"  # bytes of the raw file
    CHANNELS = "channels"
    SAMPLES = "samples"  # per channel
    RATE = "rate"  # samples per second
    SECONDS = "seconds"
    SHA1 = "sha1"  # of the raw file
    COMPRESSED_SIZE = "compressed size"
    WHOLE_SAMPLES = "whole samples"  # no bytes follow the last whole sample
    CONSISTENCY = "consistency"  # the companion contradicts itself: `text` and `other` must be equal


@dataclass(frozen=True)
class Claim:
    """One field of one companion, as text."""

    companion: str
    field: str
    fact: Fact
    text: str
    other: str = ""


@dataclass(frozen=True)
class Facts:
    """Facts about a recording that was read. None: not known (yet)."""

    size_bytes: int
    n_channels: int
    n_samples: int
    sample_rate_hz: float
    tail_bytes: int = 0
    sha1: str | None = None
    compressed_bytes: int | None = None

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.n_samples / self.sample_rate_hz


@dataclass(frozen=True)
class Contradiction:
    """A companion's field that contradicts the recording."""

    companion: str
    field: str
    claimed: str
    actual: str

    def __str__(self) -> str:
        text = f"{self.companion}: {self.field} claims {self.claimed}, but {self.actual}"
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def hash_or_none(text: Any, digits: int = SHA1_DIGITS) -> str | None:
    """A hash of so many hexadecimal digits, SHA-1 by default, in lower case.

    None for anything that is not a hash: empty, malformed, or a placeholder such as CatGT's 0.

    >>> hash_or_none("0"), hash_or_none("0" * 40), hash_or_none(None)
    (None, None, None)
    >>> hash_or_none("A9993E364706816ABA3E25717850C26C9CD0D89D")[:8]
    'a9993e36'
    """
    value = str(text or "").strip().lower()
    return value if len(value) == digits and _HEX.match(value) and len(set(value)) > 1 else None


def contradictions(claims: Iterable[Claim], facts: Facts) -> tuple[Contradiction, ...]:
    """Every claim that the facts contradict.

    >>> meta = [Claim("a.ap.meta", "fileSizeBytes", Fact.SIZE, "20400"),
    ...         Claim("a.ap.meta", "fileTimeSecs", Fact.SECONDS, "2")]
    >>> for contradiction in contradictions(meta, Facts(13_600, n_channels=17, n_samples=400, sample_rate_hz=300.0)):
    ...     print(contradiction)
    a.ap.meta: fileSizeBytes claims 20400, but the file has 13600 bytes
    a.ap.meta: fileTimeSecs claims 2, but the file has 1.333333 s (400 samples at 300 Hz)
    >>> contradictions(meta, Facts(20_400, n_channels=17, n_samples=600, sample_rate_hz=300.0))
    ()
    """
    result = []
    for claim in claims:
        if actual := _actual(claim, facts):
            result.append(Contradiction(claim.companion, claim.field, claim.text[:_LONGEST_SHOWN], actual))
    return tuple(result)


def _actual(claim: Claim, facts: Facts) -> str:
    """The actual value if it differs from the claim; empty if the claim is right or cannot be compared."""
    counts = {
        Fact.SIZE: (facts.size_bytes, "bytes"),
        Fact.CHANNELS: (facts.n_channels, "channels"),
        Fact.SAMPLES: (facts.n_samples, "samples"),
        Fact.COMPRESSED_SIZE: (facts.compressed_bytes, "bytes"),
    }
    if claim.fact in counts:
        return _count(claim.text, *counts[claim.fact])
    others: dict[Fact, Callable[[Claim, Facts], str]] = {
        Fact.RATE: _rate,
        Fact.SECONDS: _seconds,
        Fact.SHA1: _sha1,
        Fact.WHOLE_SAMPLES: _whole_samples,
        Fact.CONSISTENCY: _consistency,
    }
    return others[claim.fact](claim, facts)


def _count(text: str, actual: int | None, unit: str) -> str:
    if actual is None:
        return ""
    if not _WHOLE.match(text):
        return "that is not an integer"
    return "" if int(text.partition(".")[0]) == actual else f"the file has {actual} {unit}"


def _rate(claim: Claim, facts: Facts) -> str:
    if not _DECIMAL.match(claim.text):
        return "that is not a number"
    if math.isclose(float(claim.text), facts.sample_rate_hz, rel_tol=RATE_TOLERANCE):
        return ""
    return f"the file has {facts.sample_rate_hz:.10g} samples per second"


def _seconds(claim: Claim, facts: Facts) -> str:
    """The actual length if it differs by more than one sample and more than the rounding of the text."""
    if not _DECIMAL.match(claim.text):
        return "that is not a number"
    allowed = 1 / facts.sample_rate_hz + rounding(claim.text)
    if abs(float(claim.text) - facts.seconds) <= allowed * (1 + 1e-9):
        return ""
    return f"the file has {facts.seconds:.6f} s ({facts.n_samples} samples at {facts.sample_rate_hz:.10g} Hz)"


def _sha1(claim: Claim, facts: Facts) -> str:
    claimed = hash_or_none(claim.text)
    return "" if facts.sha1 is None or claimed in (None, facts.sha1) else f"the file's SHA-1 is {facts.sha1}"


def _whole_samples(_claim: Claim, facts: Facts) -> str:
    if not facts.tail_bytes:
        return ""
    return f"{facts.tail_bytes} of the file's {facts.size_bytes} bytes follow the last whole sample"


def _consistency(claim: Claim, _facts: Facts) -> str:
    return "" if claim.text == claim.other else f"the same file says {claim.other[:_LONGEST_SHOWN]}"


def rounding(text: str) -> float:
    """How much a printed number may differ from the exact one because of rounding.

    >>> rounding("1146.84"), rounding("2"), rounding("3084.2003")
    (0.005, 5e-06, 5e-05)
    """
    value = float(text)
    if not 0 < value < math.inf:
        return 0.0
    by_digits = 0.5 * 10.0 ** (math.floor(math.log10(value)) - PRINTED_DIGITS + 1)
    match = _DECIMAL.match(text)
    decimals = len(match[1] or "") if match else 0
    if len(text.replace(".", "").lstrip("0")) > PRINTED_DIGITS:
        by_digits = 0.0
    return max(by_digits, 0.5 * 10.0**-decimals if decimals > 2 else 0.0)


def claims_of_meta(meta: Mapping[str, str], companion: str) -> tuple[Claim, ...]:
    """Claims of a SpikeGLX .meta. An empty field claims nothing, and a placeholder is not a hash.

    Where size or duration are claimed, acquisition ended in order, and no sample can be incomplete.

    >>> [claim.field for claim in claims_of_meta({"imSampRate": "30000", "fileSHA1": "0"}, "a.meta")]
    ['imSampRate']
    """
    rate = next((key for key in RATE_KEYS if meta.get(key)), RATE_KEYS[0])
    about = {
        "nSavedChans": Fact.CHANNELS,
        "fileSizeBytes": Fact.SIZE,
        "fileTimeSecs": Fact.SECONDS,
        "fileSHA1": Fact.SHA1,
        rate: Fact.RATE,
    }
    claims = [Claim(companion, key, fact, meta[key]) for key, fact in about.items() if meta.get(key)]
    claims = [claim for claim in claims if claim.fact is not Fact.SHA1 or hash_or_none(claim.text)]
    saved = meta.get("nSavedChans", "")
    if saved and (meta.get("fileSizeBytes") or meta.get("fileTimeSecs")):
        claims.append(Claim(companion, "nSavedChans", Fact.WHOLE_SAMPLES, saved))
    for key in COUNT_KEYS:
        counts = [count.strip() for count in meta.get(key, "").split(",")]
        if saved and all(_CHANNEL_COUNT.match(count) for count in counts):
            total = f"{sum(map(int, counts))} channels"
            claims.append(Claim(companion, key, Fact.CONSISTENCY, total, f"{saved} channels"))
    subset = _RANGES.findall(meta.get(SUBSET_KEY, "")) if _SUBSET.match(meta.get(SUBSET_KEY, "")) else []
    if saved and subset:
        total = f"{sum(int(last or first) - int(first) + 1 for first, last in subset)} channels"
        claims.append(Claim(companion, SUBSET_KEY, Fact.CONSISTENCY, total, f"{saved} channels"))
    return tuple(claims)


def claimed_sha1(claims: Iterable[Claim]) -> str | None:
    """The SHA-1 of the raw file among the claims; None if there is none.

    >>> claimed_sha1(claims_of_meta({"fileSHA1": "A9993E364706816ABA3E25717850C26C9CD0D89D"}, "a.meta"))
    'a9993e364706816aba3e25717850c26c9cd0d89d'
    """
    return next((hash_or_none(claim.text) for claim in claims if claim.fact is Fact.SHA1), None)


def claims_of_ch(header: Mapping[str, Any], companion: str) -> tuple[Claim, ...]:
    """Claims of an mtscomp .ch on its .cbin, and on the chunk table of its own.

    >>> [claim.text for claim in claims_of_ch({"chunk_offsets": [0, 7819], "shape": [900, 17]}, "a.ch")]
    ['7819', '900', '17']
    """
    claims = []
    offsets, shape = header.get("chunk_offsets"), header.get("shape")
    if isinstance(offsets, list) and offsets:
        claims.append(Claim(companion, "chunk_offsets", Fact.COMPRESSED_SIZE, str(offsets[-1])))
    if isinstance(shape, list) and len(shape) == 2:
        claims.append(Claim(companion, "shape", Fact.SAMPLES, str(shape[0])))
        claims.append(Claim(companion, "shape", Fact.CHANNELS, str(shape[1])))
    return tuple(claims)


def claims_of_stream(stream: Mapping[str, Any], companion: str) -> tuple[Claim, ...]:
    """Claims of one continuous stream of an Open Ephys structure.oebin.

    >>> [str(claim.fact) for claim in claims_of_stream({"num_channels": 2, "channels": [{}, {}]}, "a.oebin")]
    ['channels', 'whole samples', 'consistency']
    """
    count = str(stream.get("num_channels", ""))
    claims = [
        Claim(companion, "num_channels", Fact.CHANNELS, count),
        Claim(companion, "num_channels", Fact.WHOLE_SAMPLES, count),
    ]
    if "sample_rate" in stream:
        claims.append(Claim(companion, "sample_rate", Fact.RATE, str(stream["sample_rate"])))
    channels = stream.get("channels")
    if isinstance(channels, list) and channels:
        described = f"{len(channels)} channels"
        claims.append(Claim(companion, "channels", Fact.CONSISTENCY, described, f"{count} channels"))
    return tuple(claims)
