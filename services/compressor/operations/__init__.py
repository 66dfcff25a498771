"""What compressor does: indexing and proving recordings, and cutting slices out of them."""

from services.compressor.operations.indexing import Indexer
from services.compressor.operations.slices import (
    Known,
    Shelf,
    arrow,
    cut,
    npy,
    raw_bytes,
    raw_bytes_of,
    reader_of,
)

__all__ = ["Indexer", "Known", "Shelf", "arrow", "cut", "npy", "raw_bytes", "raw_bytes_of", "reader_of"]
