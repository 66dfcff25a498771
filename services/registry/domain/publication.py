"""What registry answers when a job asks to have its outputs registered: once per token, and always the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from libs.common.schemas.states import AttemptState, UploadState


class Answer(StrEnum):
    """What is to be done with a JobPublishing event."""

    IGNORE = "ignore"  # the attempt is over, or was never acknowledged
    REPEAT = "repeat"  # decided before: say the same again
    REGISTER = "register"
    REFUSE = "refuse"


@dataclass(frozen=True)
class PublishedOutput:
    """One output as the job names it, and what transfer's view says of its upload (nulls: there is no such upload)."""

    name: str
    sha256: str
    upload_state: UploadState | None
    upload_sha256: str | None
    upload_token: int | None


@dataclass(frozen=True)
class Decision:
    """The answer, with the reason of a refusal in words for people."""

    answer: Answer
    reason: str = ""


def decide(
    token: int,
    attempt: AttemptState | None,
    outputs: Sequence[PublishedOutput],
    *,
    was_answered: bool,
    objection: str = "",
) -> Decision:
    """Decide on the outputs of attempt `token`, read from the neighbours' views in the registering transaction.

    `was_answered`: `publications` has a row of this token, whose unique key lets only one transaction decide.
    `objection`: why an output cannot be a dataset (no such type, protected, …), found by the caller.

    >>> one = PublishedOutput("alf/fit.json", "ff", UploadState.LANDED, "ff", 7)
    >>> decide(7, AttemptState.PUBLISHING, [one], was_answered=False).answer.value
    'register'
    >>> decide(7, AttemptState.LOST, [one], was_answered=False).answer.value
    'ignore'
    """
    if was_answered:
        return Decision(Answer.REPEAT)
    if attempt is not AttemptState.PUBLISHING:
        return Decision(Answer.IGNORE)
    for output in outputs:
        if output.upload_state is not UploadState.LANDED or output.upload_token != token:
            return Decision(Answer.REFUSE, f"{output.name}: its upload has not landed under this token.")
        if output.upload_sha256 != output.sha256:
            return Decision(Answer.REFUSE, f"{output.name}: its upload has another SHA-256.")
    return Decision(Answer.REFUSE, objection) if objection else Decision(Answer.REGISTER)
