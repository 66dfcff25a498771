"""Log lines of sign-ins, and the length of recovery codes."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from libs.common.observability import configure_logs
from services.metadata.domain.second_factor import recovery_code
from services.metadata.operations.second_factor import RECOVERY_BYTES
from services.metadata.operations.sign_in import SignInAttempt


async def test_a_successful_sign_in_is_logged_with_name_and_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("INFO", as_json=True)
    no_writer: Any = None
    attempt = SignInAttempt(no_writer, "ada", "192.0.2.7", {})
    attempt.is_recent_success = True
    await attempt.succeeded()
    (line,) = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["name"], line["address"]) == ("sign-in succeeded", "ada", "192.0.2.7")


def test_a_recovery_code_has_128_bits() -> None:
    code = recovery_code(secrets.token_bytes(RECOVERY_BYTES))
    assert len(code.replace("-", "")) * 5 >= 128
