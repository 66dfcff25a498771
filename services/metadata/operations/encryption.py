"""Keys for what only metadata itself reads again, each for one purpose, from the system's secret."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet


def fernet(secret: str, purpose: str) -> Fernet:
    """Encrypts and authenticates; what was made for one purpose cannot be read for another."""
    key = hmac.new(secret.encode(), f"fernet:{purpose}".encode(), hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(key))
