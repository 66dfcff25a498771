"""Names of objects on a local disk: each is given, replaced and removed in one atomic step, then synced."""

from __future__ import annotations

import os
from pathlib import Path

from libs.common.storage.disk import fsync_folder, make_folders, remove_links
from libs.common.storage.problems import PartsMissing, StillLinked


def link_object(path: Path, final: Path) -> bool:
    """Give a sealed file its object name; False if the name already exists."""
    make_folders(final.parent)
    try:
        os.link(path, final)
    except FileExistsError:
        return False
    except FileNotFoundError:  # the upload was assembled or discarded by another process meanwhile
        raise PartsMissing([0]) from None
    fsync_folder(final.parent)
    return True


def replace_object(path: Path, final: Path) -> None:
    """Put a sealed file in the place of an object."""
    path.replace(final)
    fsync_folder(final.parent)


def delete_object(tmp: Path, path: Path) -> bool:
    """Delete an object; whether it existed. Raises StillLinked while the tree has names for it."""
    try:
        if path.stat().st_nlink > 1:
            remove_links(tmp, path)
        if others := path.stat().st_nlink - 1:
            raise StillLinked(
                f"{others} more name(s) link to the bytes of {path.name}: unlink them from the tree first."
            )
        path.unlink()
    except FileNotFoundError:
        return False
    fsync_folder(path.parent)
    return True


def sorted_names(folder: Path) -> list[str]:
    """Names in a folder."""
    return sorted(entry.name for entry in os.scandir(folder))
