"""The central store, as registry uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libs.common.observability import logger
from libs.common.storage import Store, UnsafeName


@dataclass
class CentralStore:
    """The central store and its kind; opened when the service starts.

    `signs`: it can sign URLs of its objects that clients can reach directly.
    """

    kind: str
    signs: bool = False
    opened: Store | None = None

    @property
    def store(self) -> Store:
        """The open store."""
        if self.opened is None:
            raise RuntimeError("The store is opened when the service starts.")
        return self.opened

    async def show(self, names: Mapping[str, str]) -> None:
        """Link names of the readable tree to objects, if the store has a tree. Raises ObjectMissing.

        A name that the tree cannot have is left out: the tree is for people, and the bytes are safe without it.
        """
        if self.store.tree is None:
            for sha256 in set(names.values()):
                await self.store.stat(sha256)
            return
        for name, sha256 in names.items():
            try:
                await self.store.tree.link({name: sha256})
            except UnsafeName as unsafe:
                await self.store.stat(sha256)
                logger("registry").warning("a file is not shown in the readable tree", why=unsafe.text)
