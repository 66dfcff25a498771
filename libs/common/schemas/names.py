"""Names in bodies: stored in one spelling, and refused where an address or a file system could not have them."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from cingulum.alf.spelling import normal, why_unportable


def _folder_name(text: str) -> str:
    """A name that is also a folder's.

    >>> _folder_name("m1")
    'm1'
    """
    name = normal(text)
    if wrong := why_unportable(name):
        raise ValueError(f"{wrong.problem}: {wrong.advice}")
    return name


def _plain_name(text: str) -> str:
    """A name that is part of an address, but of no path of a file.

    >>> _plain_name("C57BL/6J sp.")
    'C57BL/6J sp.'
    """
    name = normal(text)
    if name in {".", ".."}:
        raise ValueError(f"{name!r} is not a name: an address cannot end with it")
    if name != name.strip():
        raise ValueError(f"{name!r} starts or ends with a space: write {name.strip()!r}")
    if control := next((char for char in name if unicodedata.category(char) in {"Cc", "Zl", "Zp"}), None):
        raise ValueError(f"the name holds the invisible character U+{ord(control):04X}: remove it")
    return name


# Constraints come before the validator, so that they are in the description of the API.
FolderName = Annotated[str, Field(pattern=r"^\.*[\w-][\w.-]*$"), AfterValidator(_folder_name)]
PortableName = Annotated[str, AfterValidator(_folder_name)]
Username = Annotated[str, Field(pattern=r"^[\w.@+-]+$"), AfterValidator(_plain_name)]
PlainName = Annotated[str, AfterValidator(_plain_name)]
