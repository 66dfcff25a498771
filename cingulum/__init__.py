"""Names, welfare, codec, analyses, client and worker for neurophysiology labs; knows no server.

`cingulum.connect(address)` and `cingulum.open(folder)` are two lines to data; they are imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cingulum.client.client import connect
    from cingulum.client.client import open_folder as open  # noqa: A004

__all__ = ["connect", "open"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'cingulum' has no attribute {name!r}")
    # By name, since what imports a part of this package does not need the client and what that imports.
    client = import_module("cingulum.client.client")
    return client.connect if name == "connect" else client.open_folder
