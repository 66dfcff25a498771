"""Finding the companions of a recording, and reading their claims.

Companions are matched without UUIDs: `x.ap.<uuid>.cbin` and `x.ap.<other uuid>.ch`, as public servers name them, belong
together. A companion with exactly the recording's name always has priority.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from cingulum.codec.claims import Claim, Fact, claims_of_meta, claims_of_stream
from cingulum.codec.errors import AmbiguousCompanion, InvalidLayout

STRUCTURE: Final = "structure.oebin"
MAX_COMPANION_BYTES: Final = 64 << 20
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def meaning(name: str) -> str:
    """A file name without extension and UUID, which all files of a recording have in common.

    >>> meaning("probe.ap.8f81ad37-a9ea-4406-9de4-46531d83374b.ch"), meaning("probe.ap.cbin")
    ('probe.ap', 'probe.ap')
    """
    parts = name.split(".")[:-1]
    return ".".join(part for part in parts if not _UUID.fullmatch(part))


def candidates(recording: str, suffix: str, names: Iterable[str]) -> list[str]:
    """Names of a folder that can be the recording's companion of that suffix: its own name's alone, if it is there.

    >>> candidates("a.ap.cbin", ".ch", ["a.lf.ch", "a.ap.ch", "a.ap.8f81ad37-a9ea-4406-9de4-46531d83374b.ch"])
    ['a.ap.ch']
    """
    own = Path(recording).with_suffix(suffix).name
    fitting = sorted(name for name in names if name.lower().endswith(suffix))
    if own in fitting:
        return [own]
    return [name for name in fitting if meaning(name) == meaning(recording)]


def names_at_address(recording: str, suffix: str) -> list[str]:
    """Possible names of a recording's companion on a server, where no folder can be listed; likeliest first.

    A server that adds a UUID to each file's name may also accept the name without it, as ours does.

    >>> names_at_address("a.ap.8f81ad37-a9ea-4406-9de4-46531d83374b.cbin", ".ch")
    ['a.ap.8f81ad37-a9ea-4406-9de4-46531d83374b.ch', 'a.ap.ch']
    """
    return list(dict.fromkeys((recording.rpartition(".")[0] + suffix, meaning(recording) + suffix)))


def find_companion(recording: Path, suffix: str) -> Path | None:
    """The companion of that suffix beside a recording; None if there is none.

    Raises AmbiguousCompanion, which lists the candidates, if there are several.
    """
    own = recording.with_suffix(suffix)
    if own.is_file():
        return own
    if not recording.parent.is_dir():
        return None
    names = [entry.name for entry in recording.parent.iterdir() if entry.suffix.lower() == suffix]
    matches = candidates(recording.name, suffix, names)
    if len(matches) > 1:
        raise AmbiguousCompanion(
            f"several files could be its {suffix}: {', '.join(matches)}; select one with --{suffix[1:]} FILE"
        )
    return recording.parent / matches[0] if matches else None


def find_structure(recording: Path) -> Path | None:
    """The structure.oebin of an Open Ephys recording that a continuous stream's file belongs to."""
    places = [folder / STRUCTURE for folder in recording.absolute().parents[1:3]]
    return next((place for place in places if place.is_file()), None)


def read_meta(path: Path) -> dict[str, str]:
    """Entries of a SpikeGLX .meta file. Raises InvalidLayout if it is too large."""
    return parse_meta(_read(path).decode("utf-8-sig", "replace"))


def parse_meta(text: str) -> dict[str, str]:
    """Entries of a SpikeGLX .meta file; the tilde before tables is dropped, and of a repeated key the last one counts.

    >>> parse_meta("nSavedChans=385\\n~snsChanMap=(384,0,1)\\n")
    {'nSavedChans': '385', 'snsChanMap': '(384,0,1)'}
    """
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key.strip().removeprefix("~"): value.strip() for key, value in pairs}


def read_stream(structure: Path, recording: Path) -> dict[str, Any]:
    """The entry of a structure.oebin about the continuous stream of a file. Raises InvalidLayout."""
    try:
        content = json.loads(_read(structure))
    except (ValueError, RecursionError) as error:
        raise InvalidLayout(f"{structure.name} is not JSON ({error})") from error
    return stream_of(content, recording.absolute().parent.name)


def stream_of(content: Any, folder_name: str) -> dict[str, Any]:
    """The one entry of a structure.oebin about a folder. Raises InvalidLayout if there is none, or several."""
    streams = content.get("continuous") if isinstance(content, dict) else None
    matches = [
        stream
        for stream in (streams if isinstance(streams, list) else [])
        if isinstance(stream, dict) and str(stream.get("folder_name", "")).strip("/") == folder_name
    ]
    if not matches:
        raise InvalidLayout(f"structure.oebin has no continuous stream in a folder {folder_name!r}")
    if len(matches) > 1:
        raise InvalidLayout(f"structure.oebin describes {len(matches)} streams in the folder {folder_name!r}")
    return matches[0]


def claims_beside(recording: Path, meta: Path | None = None) -> tuple[Claim, ...]:
    """Claims about a recording of its .meta (that one, or the one beside it), or else of its structure.oebin."""
    meta = meta or find_companion(recording, ".meta")
    if meta is not None:
        return claims_of_meta(read_meta(meta), meta.name)
    structure = find_structure(recording)
    if structure is None:
        return ()
    try:
        return claims_of_stream(read_stream(structure, recording), structure.name)
    except InvalidLayout as error:
        return (Claim(structure.name, "continuous", Fact.CONSISTENCY, "a stream", f"nothing: {error}"),)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_COMPANION_BYTES:
        raise InvalidLayout(f"{path.name} is too large for a {path.suffix}")
    return path.read_bytes()
