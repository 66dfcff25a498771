"""Copies become verified by what was read, and are shown in the readable tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.digests import Digests
from libs.common.db import Transaction
from libs.common.events import CopyVerified, ObjectDamaged, UploadCompleted
from libs.common.observability import logger
from libs.common.permissions import Principal, may_on
from libs.common.problem import Conflict, Forbidden, NotFound
from libs.common.schemas.states import CopyState
from libs.common.scopes import Permission
from libs.common.storage import Store, UnsafeName
from libs.common.targets import dataset_target
from libs.common.visibility import Visibility
from services.registry.domain.copies import CopyFact, after, is_foreign, prove
from services.registry.models import CopyRow, NoticeRow, VersionRow
from services.registry.queries import publication as queries
from services.registry.queries.publication import Arrived


@dataclass
class Shelf:
    """The central store and which kind of store it is; opened when the service starts.

    It `signs` addresses of its objects where clients can reach it by themselves.
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
        """Let names of the readable tree show objects, where the store has one. Raises ObjectMissing.

        A name that cannot stand there is left out: the tree is for people, and the bytes are safe without it.
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


async def upload_completed(tx: Transaction, shelf: Shelf, event: UploadCompleted) -> None:
    """The bytes of a copy were read whole: it is verified, or suspect where they are not what was registered."""
    upload = await queries.upload(tx.session, event.upload_id)
    if upload is None or upload.copy_id is None:
        return  # an output of a job: registered when the job is complete
    copy = await queries.arrived(tx.session, upload.copy_id)
    if copy is None:
        logger("registry").info("an upload brought a copy that is gone", copy_id=str(upload.copy_id))
        return
    read = Digests(size_bytes=event.size_bytes, sha256=event.sha256, md5=event.md5)
    if is_foreign(copy.version, copy.state, read):
        text = f"other bytes came for it (SHA-256 {read.sha256}); its own stay"
        tx.session.add(NoticeRow(dataset_id=copy.dataset_id, copy_id=copy.copy_id, text=text))
        return
    await _judge(tx, copy, read, f"upload {event.upload_id}", shelf)


async def object_damaged(tx: Transaction, event: ObjectDamaged) -> None:
    """An object of the central store is not what it is named for: its copies are suspect until good bytes come."""
    text = f"the stored object was damaged: its SHA-256 was {event.found_sha256}"
    for copy_id in await queries.copies_by(tx.session, event.store, event.sha256):
        copy = await queries.arrived(tx.session, copy_id)
        if copy is None or (state := after(copy.state, CopyFact.DOUBTED)) is copy.state:
            continue
        changed = {"state": str(state), "notice": text, "order_proof": False}
        await tx.session.execute(sa.update(CopyRow).where(CopyRow.id == copy_id).values(changed))
        await notice(tx, copy.dataset_id, copy_id, text)


async def copy_read(tx: Transaction, by: Principal, seen: Visibility, copy_id: UUID, read: Digests) -> None:
    """The machine that holds a repository's files has read a copy whole. Raises NotFound, Forbidden, Conflict.

    Only a token made for that repository counts: no person's word verifies a copy, or makes one suspect.
    """
    place = await queries.place_of_copy(tx.session, seen, copy_id)
    if place is None:
        raise NotFound(f"There is no copy {copy_id}.")
    target = await dataset_target(tx.session, place.session_id, place.content_type, place.object_id)
    if not may_on(by, Permission.PROVE, replace(target, repository_id=place.repository_id)):
        raise Forbidden(
            f"Only the agent of {place.repository} proves what lies there: its token has the scope "
            f"repository:{place.repository}:prove."
        )
    if place.store != "agent":
        raise Conflict(
            "Only an agent proves by its word: other copies are read by the store that holds them."
        )
    copy = await queries.arrived(tx.session, copy_id)
    if copy is None:
        raise NotFound(f"There is no copy {copy_id}.")
    await _judge(tx, copy, read, f"read by {by.username}", None)


async def _judge(tx: Transaction, copy: Arrived, read: Digests, how: str, shelf: Shelf | None) -> None:
    """Write down what a full read means; `shelf` is where the bytes lie, if in our own store."""
    proof = prove(copy.version, copy.state, read)
    is_verified = proof.state is CopyState.VERIFIED
    if shelf is not None and is_verified and copy.is_current:
        await shelf.show({copy.tree_name: read.sha256})
    known = {"size_bytes": proof.version.size_bytes, "md5": proof.version.md5, "sha256": proof.version.sha256}
    connection = await tx.session.connection()
    await connection.execute(
        sa.update(VersionRow)
        .where(VersionRow.dataset_id == copy.dataset_id, VersionRow.generation == copy.version.generation)
        .values(known)
    )
    changed: dict[str, Any] = {"state": str(proof.state), "notice": proof.notice, "order_proof": False}
    if is_verified:
        changed |= {"proved_at": datetime.now(UTC), "proved_how": how}
    await connection.execute(sa.update(CopyRow).where(CopyRow.id == copy.copy_id).values(changed))
    if proof.notice and proof.state is not copy.state:
        await notice(tx, copy.dataset_id, copy.copy_id, proof.notice)
    elif is_verified and proof.state is not copy.state:
        tell_verified(tx, copy.dataset_id, copy.copy_id, copy.session_id, read.sha256)


async def notice(tx: Transaction, dataset_id: UUID, copy_id: UUID, text: str) -> None:
    """Tell people that a copy is not what was registered."""
    tx.session.add(NoticeRow(dataset_id=dataset_id, copy_id=copy_id, text=text))
    tx.audit("copy.suspect", "copy", copy_id, after={"notice": text})


def tell_verified(
    tx: Transaction, dataset_id: UUID, copy_id: UUID, session_id: UUID | None, sha256: str
) -> None:
    """Write down, and say, that a copy is proved."""
    tx.audit("copy.verified", "copy", copy_id, after={"sha256": sha256})
    tx.publish(CopyVerified(dataset_id=dataset_id, copy_id=copy_id, session_id=session_id, sha256=sha256))
