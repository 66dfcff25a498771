"""Processor time of the analyses of real sessions, beside psychofit on the same counts in the same run.

`python bench/core_analysis.py` prints four loads with their limits and fails if one is exceeded, or if psychofit
finds a curve more likely than ours:
session     summary, psychometric and chronometric curves, and the status after three sessions
history     11 sessions added to a learning summary, one by one
probe       raster counts, PSTH and autocorrelogram of 289 units, 124,905 spikes in 120 s
fit         one psychometric fit; psychofit's starts are random, ours are not
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time

import numpy as np
import psychofit

from cingulum.analysis import Trials, concatenate, fit_psychometric, trials_from_columns
from cingulum.analysis.digest import SessionDigest, digest_session
from cingulum.analysis.ibl import training_status
from cingulum.analysis.learning import Learning
from cingulum.analysis.maximum_likelihood import Observed, log_likelihood
from cingulum.analysis.psychometric import ChoiceCounts, choice_counts
from cingulum.analysis.session import analyse_behaviour
from cingulum.analysis.spikes import psth, raster_counts, spike_trains
from cingulum.analysis.units import autocorrelograms
from examples import ibl_sessions

SESSION_LIMIT_MS, HISTORY_LIMIT_S, PROBE_LIMIT_S = 50.0, 0.5, 3.0
SAME_HEIGHT, SAME_CURVE = 1e-4, 0.05


def best_s(work: Callable[[], object], runs: int = 5) -> float:
    """The least processor time of several runs, in seconds: other work only adds to it."""
    times = []
    for _ in range(runs):
        began = process_time()
        work()
        times.append(process_time() - began)
    return min(times)


def psychofit_of(counts: ChoiceCounts) -> tuple[float, ...]:
    """psychofit's parameters with the start and bounds of the criteria, the best of its five fits."""
    contrasts = counts.contrasts_percent
    data = np.vstack([contrasts, counts.n_trials, counts.n_right / counts.n_trials])
    fitted, _ = psychofit.mle_fit_psycho(
        data,
        P_model="erf_psycho_2gammas",
        parstart=np.array([contrasts.mean(), 20.0, 0.05, 0.05]),
        parmin=np.array([contrasts.min(), 0.0, 0.0, 0.0]),
        parmax=np.array([contrasts.max(), 100.0, 1.0, 1.0]),
    )
    return tuple(fitted.tolist())


def one_session(trials: Trials, before: list[SessionDigest], protocol: str) -> None:
    """Everything on the page of one session, from its trials and the digests of the two before."""
    analyse_behaviour(trials)
    training_status([*before, digest_session(trials, date="2020-09-01", protocol=protocol)])


def history(sessions: dict[str, Trials], protocols: dict[str, str]) -> Learning:
    """From the trials of all sessions, in order, to the learning summary."""
    learning = Learning()
    for date, trials in sessions.items():
        learning = learning.add(digest_session(trials, date=date, protocol=protocols[date]))
    return learning


def probe(recorded: ibl_sessions.ProbeRecording) -> None:
    """All analyses of all units."""
    trains = spike_trains(recorded.times_s, recorded.clusters)
    conditions = {str(group): recorded.event_groups == group for group in np.unique(recorded.event_groups)}
    psth(raster_counts(trains, recorded.event_times_s), conditions)
    autocorrelograms(trains)


def compare_fits(sessions: dict[str, Trials]) -> bool:
    """Compare sessions and pools of three: whether psychofit ever has a higher likelihood; prints where it differs."""
    dates = list(sessions)
    pools = [[date] for date in dates] + [dates[i : i + 3] for i in range(len(dates) - 2)]
    # psychofit draws its starting points from NumPy's global generator.
    np.random.seed(0)
    higher, elsewhere, worst = 0, 0, 0.0
    for pool in pools:
        trials = concatenate([sessions[date] for date in pool])
        counts = choice_counts(trials.signed_contrast_percent, trials.rightward)
        observed = Observed(
            counts.contrasts_percent, counts.n_trials.astype(float), counts.n_right.astype(float)
        )
        fit = fit_psychometric(counts)
        assert fit is not None
        theirs = np.array(psychofit_of(counts))
        gap = fit.log_likelihood - float(log_likelihood(theirs[None, :], observed)[0])
        higher += gap < -SAME_HEIGHT
        if abs(gap) <= SAME_HEIGHT:
            worst = max(worst, float(np.abs(theirs - fit.parameters).max()))
        else:
            elsewhere += 1
    print(
        f"against psychofit on {len(pools)} sets of trials: it is higher in {higher}, lower in {elsewhere - higher}; "
        f"where both are as high, parameters differ by at most {worst:.1g}"
    )
    return higher == 0 and worst < SAME_CURVE


def main() -> int:
    """Print the table; returns 1 if a limit is exceeded."""
    wheel = ibl_sessions.fetch_wheel(ibl_sessions.cache_folder())
    days = ibl_sessions.read_trials(wheel)
    sessions = {date: trials_from_columns(day.columns) for date, day in days.items()}
    protocols = {date: day.protocol for date, day in days.items()}
    recorded = ibl_sessions.read_probe(wheel)
    biased = [date for date in days if days[date].protocol.startswith("biased")][:3]
    before = [digest_session(sessions[date], date=date, protocol=protocols[date]) for date in biased[:2]]
    loads = [
        (
            "session",
            lambda: one_session(sessions[biased[2]], before, protocols[biased[2]]),
            SESSION_LIMIT_MS / 1000,
        ),
        ("history", lambda: history(sessions, protocols), HISTORY_LIMIT_S),
        ("probe", lambda: probe(recorded), PROBE_LIMIT_S),
    ]
    good = True
    for name, work, limit_s in loads:
        took_s = best_s(work)
        good &= took_s <= limit_s
        verdict = "reached" if took_s <= limit_s else "missed"
        print(f"{name:8} {took_s * 1000:8.1f} ms, limit of {limit_s * 1000:g} ms {verdict}")
    pooled = concatenate(list(sessions.values()))
    counts = choice_counts(pooled.signed_contrast_percent, pooled.rightward)
    ours, theirs = best_s(lambda: fit_psychometric(counts)), best_s(lambda: psychofit_of(counts))
    print(
        f"fit      {ours * 1000:8.1f} ms, psychofit {theirs * 1000:.1f} ms: {theirs / ours:.1f} times as fast"
    )
    return 0 if compare_fits(sessions) and good else 1


if __name__ == "__main__":
    sys.exit(main())
