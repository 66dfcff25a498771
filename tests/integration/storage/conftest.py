"""One real S3 server for all storage tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from libs.common.storage.s3_bucket import S3Place
from tests.support.weed import weed_server


@pytest.fixture(scope="session")
def server() -> Iterator[S3Place]:
    with weed_server() as place:
        yield place
