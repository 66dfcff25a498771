"""QC of sessions and datasets, by number or name."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from cingulum.qc import QC_NAMES

__all__ = ["QC_CODES", "QC_NAMES", "Qc", "qc_code"]

QC_CODES = {name: code for code, name in QC_NAMES.items()}


def qc_code(value: object) -> object:
    """QC as a number, from its number or its name in any case; the rest is left for the validator to refuse.

    >>> qc_code("warning"), qc_code("30"), qc_code(30)
    (30, 30, 30)
    """
    if isinstance(value, str):
        number = value.isascii() and value.isdigit() and len(value) < 4
        return int(value) if number else QC_CODES.get(value.upper(), value)
    return value


def _known(code: int) -> int:
    if code not in QC_NAMES:
        raise ValueError(f"QC is one of {', '.join(QC_CODES)}")
    return code


Qc = Annotated[int, BeforeValidator(qc_code), AfterValidator(_known)]
