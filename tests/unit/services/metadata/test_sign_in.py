"""What is written down of a sign-in, and how long recovery codes are."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from libs.common.observability import configure_logs
from services.metadata.domain.second_factor import recovery_code
from services.metadata.operations.second_factor import RECOVERY_BYTES
from services.metadata.operations.sign_in import Attempt


async def test_a_sign_in_that_succeeds_is_a_line_with_name_and_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("INFO", as_json=True)
    nothing_to_write: Any = None
    attempt = Attempt(nothing_to_write, "ada", "192.0.2.7", {})
    attempt.is_fresh = True
    await attempt.succeeded()
    (line,) = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["name"], line["address"]) == ("sign-in succeeded", "ada", "192.0.2.7")


def test_a_recovery_code_holds_what_a_keyed_hash_may_keep() -> None:
    code = recovery_code(secrets.token_bytes(RECOVERY_BYTES))
    assert len(code.replace("-", "")) * 5 >= 128
