"""Names on servers: the dataset's UUID is the last extra part; clients remove it."""

from __future__ import annotations

import re
from uuid import UUID

from cingulum.alf.paths import labs_folder, path_below_subjects

# Versions 3 to 5, hyphens in place, lower case: what the ONE client recognises.
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[345][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch


def dataset_url(
    data_url: str,
    folder: str,
    relative_path: str,
    dataset_id: UUID,
    *,
    own_path: str | None = None,
    has_labs: bool = False,
) -> str:
    """The URL of a dataset below `data_url`, the address of a repository; `folder` is that of its session.

    `own_path` is that of its file record below the folder of subjects, where the file is not at the dataset's path.
    With `has_labs` the address is that of all labs' files, as on our own data server, and lab/Subjects follows it. Any
    other address is that of the subjects' folder: it includes what is above this folder, and lab/Subjects with it.

    >>> file = ("l/Subjects/m/2024-01-02/001", "a.b.npy", UUID(int=0))
    >>> dataset_url("https://x/data/", *file, has_labs=True)[:48]
    'https://x/data/l/Subjects/m/2024-01-02/001/a.b.0'
    >>> dataset_url("https://x/l/Subjects", *file)[:43]
    'https://x/l/Subjects/m/2024-01-02/001/a.b.0'
    >>> dataset_url("https://x/l/Subjects", *file, own_path="m/old/a.b.npy")[:32]
    'https://x/l/Subjects/m/old/a.b.0'
    """
    if own_path is not None:
        folder, relative_path = labs_folder(folder), own_path
    below = path_below_subjects(folder, relative_path)
    above = f"{folder}/{relative_path}".strip("/").removesuffix(below).strip("/") if has_labs else ""
    base = data_url.rstrip("/")
    if base.endswith(f"/{above}"):
        above = ""
    return "/".join(filter(None, (base, above, add_uuid(below, dataset_id))))


def add_uuid(path: str, dataset_id: UUID) -> str:
    """Write a dataset's name or path as on a server; an id that it already has is replaced.

    >>> add_uuid("alf/spikes.times.npy", UUID("a976e418-c8b8-4d24-be47-d05120b18341"))
    'alf/spikes.times.a976e418-c8b8-4d24-be47-d05120b18341.npy'
    """
    folder, slash, name = remove_uuid(path).rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    return f"{folder}{slash}{stem}.{dataset_id}{dot}{extension}"


def split_uuid(path: str) -> tuple[str, UUID | None]:
    """Split a server's name or path into the client's and the dataset's id, None if there is none.

    >>> split_uuid("spikes.times.a976e418-c8b8-4d24-be47-d05120b18341.npy")
    ('spikes.times.npy', UUID('a976e418-c8b8-4d24-be47-d05120b18341'))
    >>> split_uuid("spikes.times.npy")
    ('spikes.times.npy', None)
    """
    folder, slash, name = path.rpartition("/")
    parts = name.split(".")
    for at in (-2, -1):
        # A name needs something before its id, else it would become empty.
        if len(parts) >= 1 - at and _UUID(parts[at]):
            dataset_id = UUID(parts.pop(at))
            return f"{folder}{slash}{'.'.join(parts)}", dataset_id
    return path, None


def remove_uuid(path: str) -> str:
    """Remove a dataset's id from a server's name or path, if it has one.

    >>> remove_uuid("alf/spikes.times.a976e418-c8b8-4d24-be47-d05120b18341.npy")
    'alf/spikes.times.npy'
    """
    return split_uuid(path)[0]
