"""Files of releases: read at their fixed versions, and pulled one by one."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from libs.common.db import ReadSession, Transaction
from libs.common.db.clock import fetch_now
from libs.common.permissions import Principal
from libs.common.problem import Conflict, NotFound, UnknownReference
from libs.common.schemas.files.data_notices import DataNoticeIn, Importance
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.release_files import PullIn, ReleaseFile
from libs.common.schemas.releases import ReleaseState
from libs.common.visibility import Visibility
from services.registry.domain.releases import DatasetPulled, ReleaseWithdrawn, check_state
from services.registry.operations.data_notices import notify
from services.registry.operations.releases import lock_own
from services.registry.queries import release_files as queries
from services.registry.queries import releases as release_queries
from services.registry.queries.release_files import FileOfRelease

_SIGNED: Final = frozenset({ReleaseState.EMBARGOED, ReleaseState.PUBLIC})


async def list_files(
    session: ReadSession, visibility: Visibility, name: str, paging: PageRequest
) -> tuple[int, list[ReleaseFile]]:
    """The files of a release, pulled ones first. Raises NotFound, Conflict for a draft, ReleaseWithdrawn."""
    release = await release_queries.fetch_release(session, visibility, name)
    if release.state is ReleaseState.WITHDRAWN:
        raise ReleaseWithdrawn
    if release.state is ReleaseState.DRAFT:
        raise Conflict("The versions of a draft are not fixed: POST /releases/NAME/check does that.")
    return await queries.list_files(session, visibility, name, paging)


async def read_file(
    session: ReadSession, visibility: Visibility, name: str, path: str, store: str
) -> tuple[FileOfRelease, str]:
    """A file of a release, and its SHA-256. Raises NotFound, ReleaseWithdrawn, DatasetPulled."""
    file = await queries.find_file(session, visibility, name, path, store)
    if file is not None and file.pulled_reason is not None:
        raise DatasetPulled(f"This dataset was pulled from the release: {file.pulled_reason}")
    if file is not None and file.is_stored and file.sha256 is not None:
        return file, file.sha256
    release = await release_queries.fetch_release(session, visibility, name)
    if release.state is ReleaseState.WITHDRAWN:
        raise ReleaseWithdrawn
    raise NotFound("There is no such file in the release.")


async def pull_dataset(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, body: PullIn
) -> ReleaseFile:
    """Pull a dataset of a signed release: it is no longer served, public or protected by it; its readers get a notice.

    The manifest stays as it was signed. Raises NotFound, Forbidden, Conflict, UnknownReference.
    """
    release, state = await lock_own(tx, by, visibility, name)
    check_state(state, _SIGNED)
    file = await _fetch_file(tx, release.id, body.dataset)
    if file.pulled_at is not None:
        raise Conflict("The dataset was pulled before.")
    notice = DataNoticeIn(
        name=f"Pulled from release {name}: {file.path}",
        description=body.reason,
        importance=Importance.ERROR,
    )
    notice_id = await notify(tx, by, notice, [body.dataset])
    now = await fetch_now(tx.session)
    await queries.update_pulled(
        tx.session, release.id, body.dataset, pulled_at=now, reason=body.reason, notice_id=notice_id
    )
    after = {"dataset": str(body.dataset), "reason": body.reason}
    tx.audit("release.dataset-pulled", "release", release.id, after=after)
    return await queries.fetch_file(tx.session, release.id, body.dataset)


async def _fetch_file(tx: Transaction, release_id: UUID, dataset_id: UUID) -> ReleaseFile:
    try:
        return await queries.fetch_file(tx.session, release_id, dataset_id)
    except NotFound:
        raise UnknownReference("dataset", dataset_id, key="pk") from None
