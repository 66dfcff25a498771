"""What tables of DataJoint take from the JSON files of analyses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

SUMMARY_FILE: Final = "_cingulum_behaviour.summary.json"
FIT_FILE: Final = "_cingulum_psychometric.fit.json"
MOST_BYTES: Final = 1 << 20  # such a file has some 10 KB

_Count = Annotated[int, Field(ge=0, lt=1 << 31)]


class _Summary(BaseModel):
    n_trials: _Count
    n_correct: _Count
    n_no_answer: _Count
    performance: FiniteFloat | None
    n_easy: _Count
    easy_performance: FiniteFloat | None
    n_zero_contrast: _Count
    median_reaction_time_s: FiniteFloat | None
    zero_contrast_reaction_time_s: FiniteFloat | None
    duration_s: FiniteFloat | None
    reward_total_ml: FiniteFloat | None


class _Fit(BaseModel):
    n_trials: _Count = Field(serialization_alias="fit_n_trials")
    bias_percent: FiniteFloat
    threshold_percent: FiniteFloat
    lapse_low: FiniteFloat
    lapse_high: FiniteFloat
    log_likelihood: FiniteFloat


class _Curve(BaseModel):
    block: FiniteFloat | None
    fit: _Fit | None  # none below four contrasts


class _Curves(BaseModel):
    all: _Curve
    by_block: list[_Curve]


class UnreadableResult(ValueError):
    """The file does not hold what its task writes; the text says where."""


def _summary_rows(content: bytes) -> list[dict[str, Any]]:
    return [_Summary.model_validate_json(content).model_dump()]


def _fit_rows(content: bytes) -> list[dict[str, Any]]:
    curves = _Curves.model_validate_json(content)
    named = [("all", curves.all), *((f"{curve.block:g}", curve) for curve in curves.by_block)]
    return [
        {"block": name, **curve.fit.model_dump(by_alias=True)}
        for name, curve in named
        if curve.fit is not None
    ]


_READERS: Final[Mapping[str, Callable[[bytes], list[dict[str, Any]]]]] = {
    SUMMARY_FILE: _summary_rows,
    FIT_FILE: _fit_rows,
}


def result_rows(name: str, content: bytes) -> list[dict[str, Any]]:
    """The rows of a file by its name. Raises UnreadableResult.

    >>> fit = '{"n_trials": 9, "bias_percent": 1, "threshold_percent": 2, "lapse_low": 0, "lapse_high": 0, '
    >>> fit += '"log_likelihood": -3}'
    >>> content = f'{{"all": {{"block": null, "fit": {fit}}}, "by_block": [{{"block": 0.2, "fit": null}}]}}'
    >>> [(row["block"], row["bias_percent"]) for row in result_rows(FIT_FILE, content.encode())]
    [('all', 1.0)]
    """
    try:
        return _READERS[name](content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise UnreadableResult(f"{place}: {first['msg']}") from error
