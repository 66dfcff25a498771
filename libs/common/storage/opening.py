"""Opening the central store that the settings name."""

from __future__ import annotations

from libs.common.settings import StoreSettings
from libs.common.storage.local import LocalStore
from libs.common.storage.store import Store


async def store_of(settings: StoreSettings, part: str = "") -> Store:
    """Open the central store; the caller closes it. Raises StoreUnavailable, StoreFull.

    A part, such as "pictures", is a store of its own within it: its owner alone decides which objects it needs.
    """
    if settings.s3_endpoint is None:
        return LocalStore(settings.store_folder / part)
    from libs.common.storage.s3 import S3Store
    from libs.common.storage.s3_bucket import S3Place

    place = S3Place(
        endpoint_url=settings.s3_endpoint,
        bucket=settings.s3_bucket,
        access_key_id=settings.s3_access_key,
        secret_access_key=settings.s3_secret_key.get_secret_value(),
        region=settings.s3_region,
        prefix=f"{settings.s3_prefix}{part}/" if part else settings.s3_prefix,
        public_endpoint_url=settings.s3_public_endpoint,
    )
    return await S3Store.connect(place)
