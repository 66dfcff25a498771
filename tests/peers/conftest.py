"""Other people's readers, unmodified, on what we write: `make test-peers` (they want an older zarr)."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("spikeinterface") and find_spec("spikeglx") else ["test_peers.py"]
