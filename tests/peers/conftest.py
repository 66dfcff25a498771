"""Other people's programs, unmodified: `make test-peers` runs each kind in the environment that has it."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [
    *(
        []
        if find_spec("spikeinterface") and find_spec("spikeglx")
        else ["test_minisign.py", "test_peers.py", "test_zarr_over_http.py"]
    ),
    *([] if find_spec("ibllib") else ["with_ibllib"]),
]
