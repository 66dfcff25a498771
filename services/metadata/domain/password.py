"""Rules for passwords."""

from __future__ import annotations

import re
from typing import Final

from libs.common.problem import BadRequest
from services.metadata.domain.common_passwords import BASES, WHOLE

SHORTEST: Final = 10
LONGEST: Final = 1024
_LOOKALIKES: Final = str.maketrans("013457@$!€+", "oleastasiet")
_ENDS: Final = re.compile(r"^[^a-z]+|[^a-z]+$")
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "01234567890123456789",
)


def password_problem(password: str, username: str) -> str | None:
    """Why a password is refused; None if it is accepted.

    >>> password_problem("Password2024!", "ada"), password_problem("correct horse", "ada")
    ('This is a well-known password: choose another one, such as four random words.', None)
    """
    if len(password) < SHORTEST:
        return f"A password must have at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"A password must have at most {LONGEST} characters."
    if not password.isprintable():
        return "A password must have printable characters only."
    if is_common(password, username):
        return "This is a well-known password: choose another one, such as four random words."
    return None


def check_new_password(password: str, username: str, field: str = "password") -> None:
    """Raise BadRequest for a password that is too short, too long or well known."""
    if problem := password_problem(password, username):
        raise BadRequest(fields={field: [problem]})


def is_common(password: str, username: str) -> bool:
    """Whether a password is well known, also with digits around it or letters replaced by digits.

    >>> [is_common(text, "ada_byron") for text in ("1234567890", "aaaaaaaaaaaa", "P4ssw0rd!!", "Ada_Byron1")]
    [True, True, True, True]
    >>> is_common("change-me-kim", "kim")
    False
    """
    lower = password.casefold().strip()
    plain = lower.replace(" ", "")
    core, name = _ENDS.sub("", plain), _ENDS.sub("", username.casefold())
    forms = {plain, core, plain.translate(_LOOKALIKES), _ENDS.sub("", core.translate(_LOOKALIKES))}
    forms |= {_ENDS.sub("", plain.translate(_LOOKALIKES))}
    if any(form in WHOLE or form in BASES or _repeats(form) for form in forms if form):
        return True
    if core in {"", name} or plain == username.casefold():
        return core == name or _is_run(plain) or len(set(plain)) <= 3
    return _is_run(plain) or _is_run(core)


def _repeats(text: str) -> bool:
    """Whether a text repeats one short or well-known piece."""
    for length in range(1, len(text) // 2 + 1):
        piece = text[:length]
        if len(text) % length == 0 and piece * (len(text) // length) == text:
            return length <= 3 or piece in BASES or piece in WHOLE or _is_run(piece)
    return False


def _is_run(text: str) -> bool:
    """Whether a text is a part of the alphabet, the digits or a keyboard row, forwards or backwards."""
    return len(text) >= 4 and any(text in row or text[::-1] in row for row in _ROWS)
