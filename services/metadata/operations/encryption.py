"""Encryption of values that only metadata reads, with one key per purpose, derived from the system's secret."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet


def fernet(secret: str, purpose: str) -> Fernet:
    """Authenticated encryption for one purpose; values of another purpose cannot be decrypted."""
    key = hmac.new(secret.encode(), f"fernet:{purpose}".encode(), hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(key))
