"""Errors of compressed recordings; each message contains what to check."""

from __future__ import annotations


class CodecError(ValueError):
    """A recording or its compressed form is invalid or damaged."""


class InvalidHeader(CodecError):
    """A header is missing, contradicts itself, or claims more than is allowed."""


class InvalidLayout(CodecError):
    """The shape, type or rate of a raw recording is unknown or impossible."""


class AmbiguousCompanion(CodecError):
    """Several files beside a recording could be the one that describes it."""


class EmptyRecording(CodecError):
    """The recording has no complete sample, which the format cannot represent."""


class TargetExists(CodecError):
    """The file to be written already exists."""


class TargetBusy(CodecError):
    """Another process is writing the same file at this moment."""


class SourceChanged(CodecError):
    """The raw file was changed while it was being compressed."""


class ProofFailed(CodecError):
    """What was written does not decode to the bytes that were read."""


class DamagedChunk(CodecError):
    """One chunk cannot be decoded; the others still can.

    `chunk` counts from 0; `start_s` and `stop_s` are seconds from the start of the recording.
    """

    def __init__(self, chunk: int, start_s: float, stop_s: float, reason: str) -> None:
        super().__init__(f"chunk {chunk} (seconds {start_s:.3f} to {stop_s:.3f}) is damaged: {reason}")
        self.chunk = chunk
        self.start_s = start_s
        self.stop_s = stop_s
        self.reason = reason
