"""Behaviour, wheel, spikes and photometry: arrays in, frozen values out, no clock or network.

Behaviour is exported here; `wheel`, `spikes`, `units`, `photometry`, `criteria` (of any task; IBL's are in `ibl`)
and `session` (all analyses of a session) are modules to import from. Only `folder` reads files and draws figures.

Every result has `to_dict()`, which is JSON without NaN: unknown is `None`.
"""

from cingulum.analysis.behaviour import chronometry, performance_by_contrast, trial_summary
from cingulum.analysis.digest import SessionDigest, digest_session
from cingulum.analysis.ibl import training_status
from cingulum.analysis.learning import Learning
from cingulum.analysis.psychometric import (
    CRITERIA_BOUNDS,
    PLOT_BOUNDS,
    fit_psychometric,
    psychometric_by_block,
    psychometric_curve,
)
from cingulum.analysis.result import AnalysisError
from cingulum.analysis.tables import trials_from_parquet
from cingulum.analysis.trials import Trials, concatenate, trials_from_columns

__all__ = [
    "CRITERIA_BOUNDS",
    "PLOT_BOUNDS",
    "AnalysisError",
    "Learning",
    "SessionDigest",
    "Trials",
    "chronometry",
    "concatenate",
    "digest_session",
    "fit_psychometric",
    "performance_by_contrast",
    "psychometric_by_block",
    "psychometric_curve",
    "training_status",
    "trial_summary",
    "trials_from_columns",
    "trials_from_parquet",
]
