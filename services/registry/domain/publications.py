"""Whether a job's outputs are registered: decided once per token, and always answered in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from libs.common.schemas.states import AttemptState, UploadState


class PublicationAnswer(StrEnum):
    """How to handle a JobPublishing event."""

    IGNORE = "ignore"  # the attempt is over, or was never acknowledged
    REPEAT = "repeat"  # decided before: publish the same answer again
    REGISTER = "register"
    REFUSE = "refuse"


@dataclass(frozen=True)
class PublishedOutput:
    """One output as the job names it, and what transfer's view shows of its upload (nulls: no such upload)."""

    name: str
    sha256: str
    upload_state: UploadState | None
    upload_sha256: str | None
    upload_token: int | None


@dataclass(frozen=True)
class PublicationDecision:
    """The answer, with the reason of a refusal as a sentence."""

    answer: PublicationAnswer
    reason: str = ""


def decide(
    token: int,
    attempt: AttemptState | None,
    outputs: Sequence[PublishedOutput],
    *,
    was_answered: bool,
    objection: str = "",
) -> PublicationDecision:
    """Decide on the outputs of attempt `token`, read from the neighbours' views in the registering transaction.

    `was_answered`: `publications` has a row of this token, whose unique key lets only one transaction decide.
    `objection`: why an output cannot be a dataset (no such type, protected, …), as the caller determined.

    >>> output = PublishedOutput("alf/fit.json", "ff", UploadState.LANDED, "ff", 7)
    >>> decide(7, AttemptState.PUBLISHING, [output], was_answered=False).answer.value
    'register'
    >>> decide(7, AttemptState.LOST, [output], was_answered=False).answer.value
    'ignore'
    """
    if was_answered:
        return PublicationDecision(PublicationAnswer.REPEAT)
    if attempt is not AttemptState.PUBLISHING:
        return PublicationDecision(PublicationAnswer.IGNORE)
    for output in outputs:
        if output.upload_state is not UploadState.LANDED or output.upload_token != token:
            return PublicationDecision(
                PublicationAnswer.REFUSE, f"{output.name}: its upload has not landed with this token."
            )
        if output.upload_sha256 != output.sha256:
            return PublicationDecision(
                PublicationAnswer.REFUSE, f"{output.name}: its upload has another SHA-256."
            )
    return (
        PublicationDecision(PublicationAnswer.REFUSE, objection)
        if objection
        else PublicationDecision(PublicationAnswer.REGISTER)
    )
