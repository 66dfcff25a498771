"""Rules of metadata that need nothing but their arguments."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID


def login_token(secret: str, user_id: UUID, generation: int) -> str:
    """The token that `/auth-token` answers: 40 hex digits, the same at every log-in of one generation.

    Clients of Alyx keep it in a file and expect it to stay; raising the generation revokes it.

    >>> len(login_token("secret", UUID("00000000-0000-4000-8000-000000000001"), 1))
    40
    """
    return hmac.new(secret.encode(), f"login:{user_id}:{generation}".encode(), hashlib.sha256).hexdigest()[
        :40
    ]


def token_hash(secret: str, token: str) -> str:
    """How a token is kept: hex of HMAC-SHA256 under the system's secret.

    >>> token_hash("secret", "abc") == token_hash("secret", "abc")
    True
    """
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
