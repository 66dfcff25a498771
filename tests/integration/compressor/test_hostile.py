"""No request makes compressor fail: invalid ones are refused with a reason, never an internal error."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from services.compressor.routes import routers
from tests.support.hostile import Foe, attack, doors
from tests.support.lab import laboratory
from tests.support.recordings import a_recording
from tests.support.slices import ready
from tests.support.system import Cingulum

TRIES = 400


async def test_no_query_makes_an_internal_error(cingulum: Cingulum, tmp_path: Path) -> None:
    lab = await laboratory(cingulum)
    compressor, path = await ready(cingulum, lab, a_recording(tmp_path / "made"))
    good = {
        "t0": 0.5,
        "t1": 1.5,
        "channels": "0-2",
        "scale": "uV",
        "format": "json",
        "session": lab.session_id,
    }
    keys = [path.rpartition("/")[2], lab.session_id, str(uuid4())]
    await attack(compressor.request, doors(routers), Foe(good, keys), TRIES)
