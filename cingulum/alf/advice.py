"""Why a text is not an ALF name, and what to write instead; slow, so called only for invalid names."""

from __future__ import annotations

import re

from cingulum.alf.patterns import is_file_name
from cingulum.alf.problems import InvalidName, describe_character

# The attribute people mean when they leave it out.
_USUAL_ATTRIBUTE = {
    "spikes": "times",
    "clusters": "channels",
    "channels": "rawInd",
    "templates": "waveforms",
    "trials": "table",
    "wheel": "position",
    "wheelMoves": "intervals",
    "licks": "times",
    "camera": "times",
    "leftCamera": "times",
    "rightCamera": "times",
    "bodyCamera": "times",
    "probes": "description",
    "drift": "um",
    "photometry": "signal",
}


def why_no_file_name(text: str) -> InvalidName:
    """The first thing wrong with a file name, from left to right.

    >>> print(why_no_file_name("spike_train.npy"))
    'spike_train.npy': attribute missing: did you mean `spike.train.npy`?
    """
    return _wrong_as_a_whole(text) or _wrong_parts(text) or _wrong_head(text) or _wrong_tail(text)


def _wrong_as_a_whole(text: str) -> InvalidName | None:
    if not text:
        return InvalidName(text, "file", "file name missing", "write `object.attribute.extension`")
    if "/" in text or "\\" in text:
        return InvalidName(text, "file", "a file name contains no folder", "parse it as a path")
    if text.startswith("."):
        return InvalidName(text, "file", "hidden file", "not a dataset: keep or remove it")
    for position, char in enumerate(text, 1):
        if not re.match(r"[\w.-]", char):
            better = re.sub(r"[^\w.-]+(\w?)", lambda match: match.group(1).upper(), text)
            return InvalidName(
                text,
                "file",
                f"character {describe_character(char)} at position {position} is not allowed",
                _instead(better) or "use letters, digits, `_`, `-` and `.` only",
            )
    return None


def _wrong_parts(text: str) -> InvalidName | None:
    parts = text.split(".")
    if not parts[-1]:
        advice = _instead(text.rstrip(".")) or "end the name with an extension such as `.npy`"
        return InvalidName(text, "extension", "extension missing", advice)
    if "" in parts:
        better = re.sub(r"\.{2,}", ".", text)
        advice = _instead(better) or "write one dot between two parts"
        return InvalidName(text, "extra", "two dots in a row", advice)
    if len(parts) == 1:
        advice = "write `object.attribute.extension`"
        return InvalidName(text, "attribute", "attribute and extension missing", advice)
    if len(parts) == 2:
        return InvalidName(text, "attribute", "attribute missing", _with_attribute(*parts))
    return None


def _with_attribute(stem: str, extension: str) -> str:
    thing = re.sub(r"^_[a-zA-Z0-9]+_(?=.)", "", stem)
    if thing in _USUAL_ATTRIBUTE:
        guess = f"{stem}.{_USUAL_ATTRIBUTE[thing]}.{extension}"
    elif "_" in thing.strip("_"):
        guess = ".".join(stem.rsplit("_", 1)) + f".{extension}"
    else:
        guess = ""
    return _instead(guess) or f"write `{stem}.<attribute>.{extension}`, what the file holds of `{thing}`"


def _wrong_head(text: str) -> InvalidName | None:
    head, tail = text.split(".", 1)
    if "-" in head:
        better = re.sub(r"-+(\w?)", lambda match: match.group(1).upper(), head)
        advice = _instead(f"{better}.{tail}") or "use camel case"
        return InvalidName(text, "object", f"object {head!r} holds a hyphen", advice)
    if not head.startswith("_"):
        return None
    words = head.strip("_")
    if not words:
        return InvalidName(text, "object", "object missing", "write `object.attribute.extension`")
    space, _, thing = words.partition("_")
    if head.startswith("__") or not thing:
        advice = _instead(f"_{space}_{thing}.{tail}" if thing else f"{space}.{tail}")
        doubled = "name starts with two underscores"
        problem = doubled if head.startswith("__") else "object missing after the namespace"
        return InvalidName(text, "namespace", problem, advice or "write `_namespace_object`")
    if not re.fullmatch(r"[a-zA-Z0-9]+", space):
        odd = next(char for char in space if not re.match(r"[a-zA-Z0-9]", char))
        problem = f"namespace {space!r} holds {describe_character(odd)}"
        return InvalidName(text, "namespace", problem, "use letters a to z and digits")
    advice = _instead(f"_{space}_{thing.lstrip('_')}.{tail}") or "write `_namespace_object`"
    return (
        InvalidName(text, "object", "object starts with an underscore", advice) if thing[0] == "_" else None
    )


def _wrong_tail(text: str) -> InvalidName:
    head, attribute, *extras, extension = text.split(".")
    if not re.fullmatch(r"\w+", extension):
        problem = f"extension {extension!r} holds a hyphen"
        return InvalidName(text, "extension", problem, "use letters, digits and `_` in an extension")
    rest = ".".join([*extras, extension])
    if "-" in attribute:
        better = re.sub(r"-+(\w?)", lambda match: match.group(1).upper(), attribute)
        advice = _instead(f"{head}.{better}.{rest}") or "use camel case"
        return InvalidName(text, "attribute", f"attribute {attribute!r} holds a hyphen", advice)
    odd = next((char for char in attribute.split("_")[0] if not char.isascii()), None)
    if odd:
        problem = f"attribute {attribute!r} holds {describe_character(odd)}"
        return InvalidName(text, "attribute", problem, "use letters a to z and digits")
    advice = _instead(f"{head}.{attribute.strip('_')}.{rest}") or "write `attribute` or `attribute_timescale`"
    return InvalidName(text, "attribute", f"attribute {attribute!r} has a stray underscore", advice)


def _instead(better: str) -> str:
    """Propose a name, only if it is valid itself."""
    return f"did you mean `{better}`?" if is_file_name(better) else ""
