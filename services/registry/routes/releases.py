"""Releases: exact versions of datasets, published together. Ours."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from cingulum.manifests.descriptions import datacite_record, release_crate
from libs.common.attachments import attachment
from libs.common.auth import Editor, Releaser, Sees, SeesOpenly, open_to_all
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging, absolute
from libs.common.schemas.releases import (
    CheckIn,
    DraftDatasetsIn,
    PublishIn,
    Readiness,
    Release,
    ReleaseChange,
    ReleaseIn,
    WithdrawIn,
)
from services.registry.domain.releases import BadSignature, NotReady, ReleaseWithdrawn
from services.registry.operations import release_consents as consents
from services.registry.operations import releases as operations
from services.registry.queries import releases as queries

router = APIRouter(route_class=IdempotentRoute, tags=["releases"])
Name = Annotated[str, Path(description="name of the release")]
_SIGNED: Final[dict[int | str, dict[str, Any]]] = problems(NotFound, Conflict, ReleaseWithdrawn)


@router.get("/releases")
async def list_releases(
    request: Request, visibility: Sees, session: Reading, paging: Paging
) -> Page[Release]:
    """List releases, newest first: public ones, and those of which the caller sees every dataset."""
    count, rows = await queries.list_releases(session, visibility, paging)
    return page(request, paging, count, rows)


@router.post("/releases", status_code=201, responses=problems(BadRequest, Forbidden, Conflict))
async def create_release(new: ReleaseIn, by: Releaser, visibility: Sees, tx: Tx) -> Release:
    """Create a draft of datasets, of the default revisions of sessions, of all that has a tag, or of a search."""
    return await operations.create_release(tx, by, visibility, new)


@router.get("/releases/{name}", responses=problems(NotFound))
@open_to_all
async def read_release(name: Name, visibility: SeesOpenly, session: Reading) -> Release:
    """Read a release; a public one without an account."""
    return await queries.fetch_release(session, visibility, name)


@router.patch("/releases/{name}", responses=problems(BadRequest, Forbidden, NotFound))
async def change_release(name: Name, body: ReleaseChange, by: Releaser, visibility: Sees, tx: Tx) -> Release:
    """Change title, description, authors, licence or DOI, in any state."""
    return await operations.change_release(tx, by, visibility, name, body)


@router.patch("/releases/{name}/datasets", responses=problems(BadRequest, Forbidden, NotFound, Conflict))
async def change_datasets(
    name: Name, body: DraftDatasetsIn, by: Releaser, visibility: Sees, tx: Tx
) -> Release:
    """Add datasets to a draft, or take some out; who had consented consents again to what is added."""
    return await operations.change_datasets(tx, by, visibility, name, body)


@router.get("/releases/{name}/readiness", responses=problems(NotFound))
async def read_readiness(request: Request, name: Name, visibility: Sees, session: Reading) -> Readiness:
    """Read what each session of a release lacks."""
    return await operations.read_readiness(session, visibility, name, request.app.state.release_copies)


@router.post("/releases/{name}/consent", responses=problems(Forbidden, NotFound, Conflict))
async def consent(request: Request, name: Name, by: Editor, visibility: Sees, tx: Tx) -> Readiness:
    """Agree to the release of one's own sessions, until it is public."""
    return await consents.consent(tx, by, visibility, name, request.app.state.release_copies)


@router.delete("/releases/{name}/consent", responses=problems(Forbidden, NotFound, Conflict))
async def withdraw_consent(request: Request, name: Name, by: Editor, visibility: Sees, tx: Tx) -> Readiness:
    """Withdraw one's consent, until the release is public; one under embargo is `checked` again."""
    return await consents.withdraw_consent(tx, by, visibility, name, request.app.state.release_copies)


@router.post(
    "/releases/{name}/check", responses=problems(BadRequest, Forbidden, NotFound, Conflict, NotReady)
)
async def check_release(
    request: Request, name: Name, body: CheckIn, by: Releaser, visibility: Sees, tx: Tx
) -> Release:
    """Fix the versions of a draft, protect them, and make the manifest; refused with what is missing."""
    copies = request.app.state.release_copies
    return await operations.check_release(tx, by, visibility, name, body, copies)


@router.post(
    "/releases/{name}/publish", responses=problems(BadSignature, Forbidden, NotFound, Conflict, NotReady)
)
async def publish_release(
    request: Request, name: Name, body: PublishIn, by: Releaser, visibility: Sees, tx: Tx
) -> Release:
    """Publish a checked release with the signature of its manifest, at once or after an embargo."""
    copies = request.app.state.release_copies
    return await operations.publish_release(tx, by, visibility, name, body, copies)


@router.post("/releases/{name}/withdraw", responses=problems(Forbidden, NotFound, Conflict))
async def withdraw_release(name: Name, body: WithdrawIn, by: Releaser, visibility: Sees, tx: Tx) -> Release:
    """Withdraw a release; its record and the reason remain, and its datasets get a notice if it was public."""
    return await operations.withdraw_release(tx, by, visibility, name, body.reason)


@router.get("/releases/{name}/manifest", response_class=Response, responses=_SIGNED)
@open_to_all
async def read_manifest(name: Name, visibility: SeesOpenly, session: Reading) -> Response:
    """Read the manifest, exactly as it is signed; a public one without an account."""
    manifest, _ = await operations.read_signed(session, visibility, name)
    headers = {"Content-Disposition": attachment("manifest.json")}
    return Response(manifest, media_type="application/json", headers=headers)


@router.get("/releases/{name}/signature", response_class=Response, responses=_SIGNED)
@open_to_all
async def read_signature(name: Name, visibility: SeesOpenly, session: Reading) -> Response:
    """Read the signature of the manifest, `manifest.json.minisig`; a public one without an account."""
    _, signature = await operations.read_signed(session, visibility, name)
    if signature is None:
        raise NotFound("The release is not signed yet.")
    headers = {"Content-Disposition": attachment("manifest.json.minisig")}
    return Response(signature, media_type="text/plain", headers=headers)


@router.get("/releases/{name}/datacite", response_class=Response, responses=_SIGNED)
@open_to_all
async def read_datacite(request: Request, name: Name, visibility: SeesOpenly, session: Reading) -> Response:
    """Read the record of a checked release for the registration of a DOI (DataCite 4.5)."""
    address = _address(request, name)
    record = await operations.describe(session, visibility, name, address, datacite_record)
    return Response(record, media_type="application/json")


@router.get("/releases/{name}/ro-crate", response_class=Response, responses=_SIGNED)
@open_to_all
async def read_crate(request: Request, name: Name, visibility: SeesOpenly, session: Reading) -> Response:
    """Read `ro-crate-metadata.json` of a checked release (RO-Crate 1.1)."""
    address = _address(request, name)
    crate = await operations.describe(session, visibility, name, address, release_crate)
    return Response(crate, media_type="application/json")


def _address(request: Request, name: str) -> str:
    return absolute(request, f"/releases/{name}")
