"""Ids of sessions and datasets that no server and no table has: made from their paths, the same on every machine."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid3

from cingulum.alf.paths import SessionPath
from cingulum.alf.server_names import remove_uuid


def session_id_of(path: SessionPath | str) -> str:
    """The id of a session. Its version 3 is that of the ids which the ONE client makes.

    >>> from cingulum.alf.paths import parse_session_path
    >>> session_id_of(parse_session_path("hilllab/Subjects/m1/2024-01-02/001"))
    'f96ff067-1a0a-352b-a2ee-cf99adabd74d'
    """
    return _id_of(str(path))


def dataset_id_of(session_id: str, rel_path: str) -> str:
    """The id of a dataset by its path in its session; an id that a server wrote into the name does not change it.

    >>> dataset_id_of("a", "alf/a.b.a976e418-c8b8-4d24-be47-d05120b18341.npy") == dataset_id_of("a", "alf/a.b.npy")
    True
    """
    return _id_of(f"{session_id}/{remove_uuid(rel_path)}")


def _id_of(text: str) -> str:
    return str(uuid3(NAMESPACE_URL, f"cingulum:{text}"))
