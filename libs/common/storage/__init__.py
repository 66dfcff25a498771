"""The byte tier: immutable bytes known by their SHA-256, on a local disk, in S3, or in memory.

One protocol, `Store`, and one contract test suite for all back ends. `s3` is imported only by those who use it.
"""

from libs.common.storage.keys import object_key
from libs.common.storage.local import LocalStore
from libs.common.storage.memory import MemoryStore
from libs.common.storage.opening import store_of
from libs.common.storage.problems import (
    BadRange,
    ChecksumMismatch,
    NotADigest,
    ObjectMissing,
    PartRefused,
    PartsMissing,
    StillLinked,
    StorageProblem,
    StoreFull,
    StoreUnavailable,
)
from libs.common.storage.store import (
    BLOCK_BYTES,
    LARGEST_PART_BYTES,
    MOST_PARTS,
    PendingUpload,
    Reading,
    Stat,
    Store,
    StorePart,
)
from libs.common.storage.tree import LinkTree, UnsafeName

__all__ = [
    "BLOCK_BYTES",
    "LARGEST_PART_BYTES",
    "MOST_PARTS",
    "BadRange",
    "ChecksumMismatch",
    "LinkTree",
    "LocalStore",
    "MemoryStore",
    "NotADigest",
    "ObjectMissing",
    "PartRefused",
    "PartsMissing",
    "PendingUpload",
    "Reading",
    "Stat",
    "StillLinked",
    "StorageProblem",
    "Store",
    "StoreFull",
    "StorePart",
    "StoreUnavailable",
    "UnsafeName",
    "object_key",
    "store_of",
]
