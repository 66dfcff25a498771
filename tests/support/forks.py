"""Processes that tests kill: forked from one that has loaded and built all services, so that each lives at once."""

from __future__ import annotations

import multiprocessing

FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(
    ["tests.support.built_once", "tests.support.crashing", "tests.support.crashing_sender"]
)
