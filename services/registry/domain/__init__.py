"""The rules of versions, copies, proofs and retirement: pure functions."""
