"""Every field of an announced or bundled file is shown again: none is accepted and lost."""

from __future__ import annotations

from libs.common.schemas.bundles import BundledIn
from libs.common.schemas.uploads import UploadIn
from libs.common.testing import Callers
from tests.support.bytes import sha256
from tests.support.moving import a_copy, an_attempt, framed, start
from tests.support.system import Cingulum

DATA = b"0123456789"


async def a_file(cingulum: Cingulum, callers: Callers) -> dict[str, object]:
    """Every field of a file, with a value that is not its default."""
    attempt = await an_attempt(cingulum, token=7)
    copy = await a_copy(cingulum, callers)
    return {
        **attempt,
        "size_bytes": len(DATA),
        "sha256": sha256(DATA),
        "copy_id": str(copy),
        "name": "a.b.npy",
    }


async def test_every_field_of_an_announced_file_is_shown_again(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    body = await a_file(cingulum, callers)
    assert body.keys() == set(UploadIn.model_fields)
    upload = (await transfer.post("/uploads", body)).json()
    assert {name: upload.get(name) for name in body} == body


async def test_every_field_of_a_bundled_file_is_shown_again(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    body = await a_file(cingulum, callers)
    assert body.keys() == set(BundledIn.model_fields)
    response = await transfer.post("/bundles", content=framed([DATA], about={0: body}))
    assert response.status_code == 201, response.text
    upload = (await transfer.get(f"/uploads/{response.json()['uploads'][0]['id']}")).json()
    assert {name: upload.get(name) for name in body} == body
