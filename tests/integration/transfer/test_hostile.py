"""No request makes transfer fail: invalid ones are refused with a reason, never an internal error."""

from __future__ import annotations

from uuid import uuid4

from libs.common.testing import Callers
from services.transfer.routes import routers
from tests.support.bytes import sha256
from tests.support.hostile import Foe, attack, doors
from tests.support.moving import a_copy, an_attempt, an_upload, content_digest, send, start
from tests.support.system import Cingulum

TRIES = 500


async def test_no_query_and_no_body_makes_an_internal_error(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    landed = await send(transfer, b"0123456789")
    uploads = [
        (await transfer.post("/uploads", an_upload(size_bytes=n))).json()["id"] for n in (10, 0, 90_000_000)
    ]
    part = await transfer.put(
        f"/uploads/{uploads[0]}/parts/0", content=b"9876543210", headers=content_digest(b"9876543210")
    )
    assert part.status_code == 204
    copy = await a_copy(cingulum, callers)
    good = {
        **await an_attempt(cingulum, token=7), "size_bytes": 10, "name": "a file", "copy_id": str(copy),
        "sha256": sha256(b"9876543210"), "state": "arriving", "number": 0,
    }  # fmt: skip
    keys = [*uploads, landed["id"], str(copy), str(uuid4()), "0", "1"]
    await attack(transfer.request, doors(routers), Foe(good, keys), TRIES)
