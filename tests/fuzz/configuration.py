"""Schemathesis' settings: which checks, with which statuses, and which values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.fuzz.known import BINDINGS

CHECKS: Final[Mapping[str, Sequence[str]]] = {
    "not_a_server_error": (),
    "status_code_conformance": (),
    "content_type_conformance": (),
    "response_headers_conformance": (),
    "response_schema_conformance": (),
    "negative_data_rejection": ("400", "403", "404", "405", "409", "413", "415", "429", "503"),
    "unsupported_method": (),
    "allow_header_conformance": (),
}
"""Check → the statuses of a refusal, where it has any. `missing_required_header` wants 401 without a token: ours is
403 as Alyx's, after which clients log in again."""
KNOWN_SHARE: Final = 0.5  # of the values of a bound parameter


def configuration(known: Mapping[str, Sequence[Any]], token: str | None) -> str:
    """The text of schemathesis.toml."""
    lines = ['hooks = "tests.fuzz.hooks"', "[checks]", "enabled = false"]
    for check, statuses in CHECKS.items():
        lines.append(f"{check}.enabled = true")
        if statuses:
            lines.append(f"{check}.expected-statuses = {json.dumps(list(statuses))}")
    for name, values in known.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(list(values))}"]
    # It would take what a refusal says of null for a field that must be sent.
    lines += ["[phases.fuzzing.error-feedback]", "enabled = false"]
    lines.append("[parameters]")
    lines += [
        f'"{parameter}" = {{ dictionary = "{name}", probability = {KNOWN_SHARE} }}'
        for parameter, name in BINDINGS.items()
        if name in known
    ]
    if token:
        lines += ["[headers]", f'Authorization = "Token {token}"']
    return "\n".join(lines) + "\n"
