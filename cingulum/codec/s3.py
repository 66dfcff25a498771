"""Signs requests to an S3 store (AWS Signature Version 4), and resolves `s3://bucket/key`.

Source   https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
Settings AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL of
         the environment. Without a key, requests are not signed, which suits public buckets.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

UNSIGNED = "UNSIGNED-PAYLOAD"  # a GET has none


def s3_address(where: str, environment: Mapping[str, str] = os.environ) -> str:
    """The HTTP address of an object.

    >>> s3_address("s3://lab/a b.cgl", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9000"})
    'http://127.0.0.1:9000/lab/a%20b.cgl'
    >>> s3_address("s3://lab/x.cgl", {"AWS_REGION": "eu-west-2"})
    'https://s3.eu-west-2.amazonaws.com/lab/x.cgl'
    """
    path = quote(where.removeprefix("s3://"), safe="/~")
    host = environment.get("AWS_ENDPOINT_URL", f"https://s3.{_region(environment)}.amazonaws.com")
    return f"{host.rstrip('/')}/{path}"


def s3_client(environment: Mapping[str, str] = os.environ) -> httpx.Client:
    """A client whose requests are signed with the keys of the environment, if there are any."""
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    signing = (
        Signature(key, secret, _region(environment), environment.get("AWS_SESSION_TOKEN"))
        if key and secret
        else None
    )
    return httpx.Client(timeout=60.0, auth=signing)


def _region(environment: Mapping[str, str]) -> str:
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"


class Signature(httpx.Auth):
    """Adds the headers that authenticate the caller to a store."""

    def __init__(self, key: str, secret: str, region: str, session_token: str | None = None) -> None:
        self._key, self._secret, self._region, self._token = key, secret, region, session_token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self.sign(request, datetime.now(UTC))
        yield request

    def sign(self, request: httpx.Request, now: datetime) -> None:
        """Sign a request without a body; its query, if any, must be sorted."""
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        signed = {
            "host": request.headers["Host"],
            "x-amz-content-sha256": UNSIGNED,
            "x-amz-date": stamp,
        }
        if self._token:
            signed["x-amz-security-token"] = self._token
        names = ";".join(sorted(signed))
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        lines = [request.method, path, query, *(f"{name}:{signed[name]}" for name in sorted(signed))]
        canonical = "\n".join([*lines, "", names, UNSIGNED])
        scope = f"{day}/{self._region}/s3/aws4_request"
        to_sign = "\n".join(
            ["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()]
        )
        key = f"AWS4{self._secret}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        request.headers.update(signed)
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
