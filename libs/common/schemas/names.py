"""Names in bodies: stored in one spelling, and new ones refused that an address or a file system cannot have."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from cingulum.alf.spelling import normal, why_unportable
from libs.common.problem import BadRequest
from libs.common.schemas.ids import find_uuid


def check_new_name(field: str, name: str, current: str | None = None) -> None:
    """Raises BadRequest for a name that some file system cannot have, unless the row has it already.

    >>> check_new_name("nickname", "m1"), check_new_name("nickname", "NUL", current="NUL")
    (None, None)
    """
    if current is not None and normal(current) == name:
        return
    if "/" in name or "\\" in name:
        raise BadRequest(fields={field: [f"{name!r} is not one name but a path: choose another name"]})
    if wrong := why_unportable(name):
        raise BadRequest(fields={field: [f"{wrong.problem}: {wrong.advice}"]})
    if wrong_id := _why_an_id(name):
        raise BadRequest(fields={field: [wrong_id]})


def check_new_plain_name(field: str, name: str, current: str | None = None) -> None:
    """The same for a name that is part of an address, but of no path of a file.

    >>> check_new_plain_name("name", "a b"), check_new_plain_name("name", "a/b", current="a/b")
    (None, None)
    """
    if current is not None and normal(current) == name:
        return
    if "/" in name:
        raise BadRequest(
            fields={field: [f"{name!r} holds a slash, which divides addresses: choose another name"]}
        )
    try:
        _addressed_name(name)
    except ValueError as error:
        raise BadRequest(fields={field: [str(error)]}) from None


def _why_an_id(name: str) -> str | None:
    """Addresses and bodies take a name or an id: a name that looks like an id would hide the record of the id.

    >>> _why_an_id("00000000-0000-4000-8000-00000000dead")
    "'00000000-0000-4000-8000-00000000dead' has the form of an id, by which records are addressed: choose another name"
    >>> _why_an_id("KS001") is None
    True
    """
    if find_uuid(name) is None:
        return None
    return f"{name!r} has the form of an id, by which records are addressed: choose another name"


def _addressed_name(text: str) -> str:
    name = _plain_name(text)
    if wrong := _why_an_id(name):
        raise ValueError(wrong)
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


# A name in its one spelling; `check_new_name` or `check_new_plain_name` refuses it, unless the row has it already.
NormalName = Annotated[str, AfterValidator(normal)]
# Constraints come before the validator, so that they are in the description of the API.
FolderName = Annotated[str, Field(pattern=r"^\.*[\w-][\w.-]*$"), AfterValidator(normal)]
Username = Annotated[str, Field(pattern=r"^[\w.@+-]+$"), AfterValidator(normal)]
PlainName = Annotated[str, AfterValidator(_addressed_name)]
"""The name of a record that is never renamed; its address takes the name or the id."""
Title = Annotated[str, AfterValidator(_plain_name)]
"""The name of a record whose address takes the id alone: microscopes name stacks by ids of their own."""
