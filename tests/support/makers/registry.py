"""Repositories, datasets and copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa

from cingulum.stores import StoreKind
from libs.common.schemas.states import CopyState
from services.metadata.models.labs import LabRepositoryRow
from services.registry.models.copies import CopyRow
from services.registry.models.datasets import DatasetRow, VersionRow
from services.registry.models.release_reads import ReleaseReadRow
from services.registry.models.releases import ReleaseDatasetRow, ReleaseRow
from services.registry.models.repositories import RepositoryRow
from services.registry.models.vocabularies import DatasetTypeRow, FormatRow
from tests.support.makers.database import named, owner
from tests.support.system import Cingulum

LAB_PATH = "hilllab/Subjects/m/2020-08-21/001"


@dataclass(frozen=True)
class File:
    """What a dataset is called and contains."""

    dataset_type: str = "a.b"
    file_format: str = "npy"
    collection: str = ""
    name: str = ""  # by default a new one
    sha256: str | None = None
    size_bytes: int | None = None


TRIALS = File("trials.table", "pqt", "alf", "_ibl_trials.table.pqt", "ab" * 32, 10)


async def make_repository(
    system: Cingulum, name: str, store: StoreKind, *, lab_id: UUID | None = None, hostname: str = ""
) -> UUID:
    """The repository of that name, and that it is of a lab."""
    is_personal = store is StoreKind.AGENT
    async with owner(system) as session:
        repository_id = await named(
            session, RepositoryRow, name, store=store, hostname=hostname, globus_is_personal=is_personal
        )
        if lab_id is not None:
            await session.merge(LabRepositoryRow(lab_id=lab_id, repository_id=repository_id))
    return repository_id


async def make_dataset(system: Cingulum, session_id: UUID, file: File = File()) -> UUID:
    """A dataset of a session, with one version."""
    dataset_id = uuid4()
    async with owner(system) as session:
        session.add(
            DatasetRow(
                id=dataset_id,
                session_id=session_id,
                lab_path=LAB_PATH,
                collection=file.collection,
                name=file.name or f"{dataset_id}.{file.file_format}",
                dataset_type_id=await named(session, DatasetTypeRow, file.dataset_type),
                format_id=await named(session, FormatRow, file.file_format),
            )
        )
        await session.flush()
        session.add(
            VersionRow(
                dataset_id=dataset_id,
                generation=1,
                size_bytes=file.size_bytes,
                md5="aa" if file.sha256 else None,
                sha256=file.sha256,
            )
        )
    return dataset_id


async def make_copy(
    system: Cingulum, dataset_id: UUID, repository_id: UUID, state: CopyState = CopyState.VERIFIED
) -> UUID:
    """A copy of a dataset; verified, it is proved."""
    copy_id = uuid4()
    proved_at = datetime.now(UTC) if state is CopyState.VERIFIED else None
    async with owner(system) as session:
        session.add(
            CopyRow(
                id=copy_id,
                dataset_id=dataset_id,
                repository_id=repository_id,
                generation=1,
                state=state,
                proved_at=proved_at,
            )
        )
    return copy_id


async def fetch_dataset_ids(system: Cingulum, session_id: UUID) -> list[UUID]:
    """The datasets of a session."""
    query = sa.select(DatasetRow.id).where(DatasetRow.session_id == session_id)
    async with owner(system) as session:
        return list(await session.scalars(query))


async def set_central_copy(system: Cingulum, session_id: UUID, state: CopyState) -> CopyRow:
    """The copy of a session's only dataset in the central store, which is in that state from now on."""
    query = (
        sa.select(CopyRow)
        .join(DatasetRow)
        .join(RepositoryRow)
        .where(DatasetRow.session_id == session_id, RepositoryRow.name == "central")
    )
    async with owner(system) as session:
        copy = (await session.scalars(query)).one()
        set_state(copy, state)
    return copy


async def doubt_copy(system: Cingulum, copy_id: UUID, state: CopyState, sha256: str) -> None:
    """A copy was proved to have these bytes, and is in another state now."""
    await set_sha256(system, copy_id, sha256)
    async with owner(system) as session:
        copy = await session.get_one(CopyRow, copy_id)
        copy.state, copy.proved_at = state, datetime.now(UTC)


async def set_sha256(system: Cingulum, copy_id: UUID, sha256: str) -> None:
    """The bytes of the version of which this is a copy."""
    versions = sa.select(VersionRow).join(CopyRow, CopyRow.dataset_id == VersionRow.dataset_id)
    async with owner(system) as session:
        version = (await session.scalars(versions.where(CopyRow.id == copy_id))).one()
        version.sha256 = sha256


async def move_datasets(system: Cingulum, session_id: UUID, lab_path: str) -> None:
    """All datasets are of that session, in that folder."""
    async with owner(system) as session:
        await session.execute(sa.update(DatasetRow).values(session_id=session_id, lab_path=lab_path))


def set_state(copy: CopyRow, state: CopyState) -> None:
    """Set a copy's state; verified, it is proved."""
    copy.state, copy.proved_at = state, datetime.now(UTC) if state is CopyState.VERIFIED else None


async def make_published_release(system: Cingulum, name: str, title: str, embargo: timedelta) -> UUID:
    """A release of all datasets at their current versions, public after a time; nobody has signed it."""
    async with owner(system) as session:
        release = ReleaseRow(
            id=uuid4(),
            name=name,
            title=title,
            created_by_id=uuid4(),
            state="published",
            manifest="{}",
            signature="-",
            public_from=datetime.now(UTC) + embargo,
        )
        session.add(release)
        await session.flush()
        for dataset in await session.scalars(sa.select(DatasetRow)):
            session.add(
                ReleaseDatasetRow(release_id=release.id, dataset_id=dataset.id, generation=dataset.generation)
            )
    return release.id


async def make_reads(system: Cingulum, ages: tuple[int, ...]) -> None:
    """Each file of a release was read once, so many days ago."""
    async with owner(system) as session:
        for link in await session.scalars(sa.select(ReleaseDatasetRow)):
            values = {name: getattr(link, name) for name in ("release_id", "dataset_id", "generation")}
            session.add_all(
                ReleaseReadRow(**values, day=datetime.now(UTC).date() - timedelta(days=age), count=1)
                for age in ages
            )
