"""All analyses of a session: of its trials, of a probe, and of its photometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cingulum.analysis.behaviour import (
    Chronometry,
    PerformanceByContrast,
    TrialSummary,
    chronometry,
    performance_by_contrast,
    trial_summary,
)
from cingulum.analysis.photometry import MeanResponse, delta_f_over_f, mean_response, peri_event
from cingulum.analysis.psychometric import (
    PLOT_BOUNDS,
    PsychometricCurve,
    psychometric_by_block,
    psychometric_curve,
)
from cingulum.analysis.result import Result
from cingulum.analysis.spikes import Psth, SpikeTrains, psth, raster_counts
from cingulum.analysis.trials import Booleans, Floats, Trials
from cingulum.analysis.units import Autocorrelograms, UnitQuality, autocorrelograms, unit_quality


@dataclass(frozen=True, eq=False)
class Behaviour(Result):
    """Results of the trials of one session; fits are within the bounds used for plots."""

    summary: TrialSummary
    psychometric: PsychometricCurve
    psychometric_by_block: tuple[PsychometricCurve, ...]
    chronometry: Chronometry
    performance: PerformanceByContrast


@dataclass(frozen=True, eq=False)
class ProbeActivity(Result):
    """Results of the units of one probe; `psth` is `None` if no event is known.

    `recording_s` is when the recording began and ended, in seconds.
    """

    recording_s: tuple[float, float]
    quality: UnitQuality
    autocorrelograms: Autocorrelograms
    psth: Psth | None


def analyse_behaviour(trials: Trials, *, bootstraps: int = 0) -> Behaviour:
    """Summary, curves and reaction times of one session; `bootstraps` as in `fit_psychometric`."""
    return Behaviour(
        summary=trial_summary(trials),
        psychometric=psychometric_curve(trials, bounds=PLOT_BOUNDS, bootstraps=bootstraps),
        psychometric_by_block=psychometric_by_block(trials, PLOT_BOUNDS, bootstraps=bootstraps),
        chronometry=chronometry(trials.signed_contrast_percent, trials.reaction_times_s),
        performance=performance_by_contrast(trials),
    )


def trial_conditions(trials: Trials) -> dict[str, Booleans]:
    """The conditions by which rasters and PSTHs are split, as masks (n_trials,).

    `left` and `right` are the rewarded trials with the stimulus on that side, `incorrect` those without reward.

    >>> from cingulum.analysis.trials import trials_from_columns
    >>> two = trials_from_columns({"contrastLeft": [0.0, np.nan], "contrastRight": [np.nan, 1.0],
    ...                            "choice": [1, 1], "feedbackType": [1, -1]})
    >>> {name: mask.tolist() for name, mask in trial_conditions(two).items()}
    {'left': [True, False], 'right': [False, False], 'incorrect': [False, True], 'all': [True, True]}
    """
    on_left, on_right = ~np.isnan(trials.contrast_left), ~np.isnan(trials.contrast_right)
    # Some tables write 0 instead of NaN on the other side: then the side of the contrast decides.
    signed = trials.signed_contrast_percent
    both = on_left & on_right
    return {
        "left": trials.correct & np.where(both, signed < 0, on_left),
        "right": trials.correct & np.where(both, signed > 0, on_right),
        "incorrect": ~trials.correct,
        "all": np.ones(len(trials), dtype=bool),
    }


def event_times(trials: Trials) -> tuple[str, Floats] | None:
    """The event to align to, named, in seconds: stimulus on, else the go cue; `None` if neither is in the table."""
    for name, times in (
        ("stimulus on", trials.stim_on_times_s),
        ("go cue", trials.go_cue_times_s),
        ("go cue trigger", trials.go_cue_trigger_times_s),
    ):
        if times is not None and np.isfinite(times).any():
            return name, times
    return None


def analyse_probe(
    trains: SpikeTrains,
    trials: Trials | None = None,
    *,
    amplitudes_uv: npt.ArrayLike | None = None,
    depths_um: npt.ArrayLike | None = None,
) -> ProbeActivity:
    """Quality, autocorrelogram (± 50 ms) and PSTH (± 1 s, 25 ms bins) of every unit of a probe.

    The recording is assumed to last from the first to the last spike; events outside it are left out.
    Amplitudes and depths, if known, are one per spike in the order of `trains`.
    """
    start_s = float(trains.times_s[0]) if len(trains) else 0.0
    end_s = float(trains.times_s[-1]) if len(trains) else 0.0
    aligned = event_times(trials) if trials is not None else None
    response = None
    if trials is not None and aligned is not None:
        counts = raster_counts(trains, aligned[1], recording_s=(start_s, end_s))
        response = psth(counts, trial_conditions(trials))
    return ProbeActivity(
        recording_s=(start_s, end_s),
        # A recording with a single time also needs a duration to divide by.
        quality=unit_quality(
            trains,
            max(end_s - start_s, 1e-3),
            start_s=start_s,
            amplitudes_uv=amplitudes_uv,
            depths_um=depths_um,
        ),
        autocorrelograms=autocorrelograms(trains),
        psth=response,
    )


def analyse_photometry(
    times_s: npt.ArrayLike,
    signal: npt.ArrayLike,
    isosbestic_times_s: npt.ArrayLike,
    isosbestic: npt.ArrayLike,
    trials: Trials,
) -> MeanResponse | None:
    """dF/F of one region around its session's event, per condition; `None` where no event is known.

    The two wavelengths take turns, so the control is interpolated to the signal's times.
    """
    aligned = event_times(trials)
    if aligned is None:
        return None
    control = np.interp(
        np.asarray(times_s, dtype=np.float64),
        np.asarray(isosbestic_times_s, dtype=np.float64),
        np.asarray(isosbestic, dtype=np.float64),
    )
    cut = peri_event(times_s, delta_f_over_f(signal, control), aligned[1])
    return mean_response(cut, trial_conditions(trials))
