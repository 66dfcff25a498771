"""Lossless compression of electrophysiology: reads and writes mtscomp's .cbin and Cingulum's own .cgl."""

from cingulum.codec.cbin import CbinFile, CbinHeader, CbinReader
from cingulum.codec.cbin_writer import compress_to_cbin, write_cbin
from cingulum.codec.chunk_decoder import decode
from cingulum.codec.chunk_encoder import encode
from cingulum.codec.chunked import ChunkedReader
from cingulum.codec.claims import Claim, Contradiction, Facts, contradictions
from cingulum.codec.companions import parse_meta
from cingulum.codec.container import CglFile, CglReader, Index, read_index
from cingulum.codec.container_writer import compress, write_cgl
from cingulum.codec.errors import (
    AmbiguousCompanion,
    CodecError,
    DamagedChunk,
    EmptyRecording,
    InvalidHeader,
    InvalidLayout,
    ProofFailed,
    SourceChanged,
    TargetBusy,
    TargetExists,
)
from cingulum.codec.export import decompress_to_bin
from cingulum.codec.layout import RawLayout
from cingulum.codec.proof import Compression, Progress, decoded_digests, digests_of, holds
from cingulum.codec.ranges import LocalFile, ReadRange
from cingulum.codec.recording import ContradictedRecording, Opened, Recording, open_local
from cingulum.codec.source import Decoded, RawFile
from cingulum.digests import Digests

__all__ = [
    "AmbiguousCompanion",
    "CbinFile",
    "CbinHeader",
    "CbinReader",
    "CglFile",
    "CglReader",
    "ChunkedReader",
    "Claim",
    "CodecError",
    "Compression",
    "ContradictedRecording",
    "Contradiction",
    "DamagedChunk",
    "Decoded",
    "Digests",
    "EmptyRecording",
    "Facts",
    "Index",
    "InvalidHeader",
    "InvalidLayout",
    "LocalFile",
    "Opened",
    "Progress",
    "ProofFailed",
    "RawFile",
    "RawLayout",
    "ReadRange",
    "Recording",
    "SourceChanged",
    "TargetBusy",
    "TargetExists",
    "compress",
    "compress_to_cbin",
    "contradictions",
    "decode",
    "decoded_digests",
    "decompress_to_bin",
    "digests_of",
    "encode",
    "holds",
    "open_local",
    "parse_meta",
    "read_index",
    "write_cbin",
    "write_cgl",
]
