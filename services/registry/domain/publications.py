"""Whether a job's outputs are registered: decided once per token, and always answered in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, UploadState
from services.registry.domain.uploads import UploadFact


class PublicationAnswer(StrEnum):
    """How to handle a JobPublishing event."""

    IGNORE = "ignore"  # the attempt is over, or was never acknowledged
    REPEAT = "repeat"  # decided before: publish the same answer again
    REGISTER = "register"
    REFUSE = "refuse"


@dataclass(frozen=True)
class PublicationDecision:
    """The answer, with the reason of a refusal as a sentence."""

    answer: PublicationAnswer
    reason: str = ""


def decide(
    token: int,
    attempt: AttemptState | None,
    outputs: Sequence[JobOutput],
    uploads: Mapping[UUID, UploadFact],
    *,
    was_answered: bool,
    objection: str = "",
) -> PublicationDecision:
    """Decide on the outputs of attempt `token`, read from the neighbours' views in the registering transaction.

    `was_answered`: `publications` has a row of this token, whose unique key lets only one transaction decide.
    `objection`: why an output cannot be a dataset (no such type, protected, …), as the caller determined.

    >>> from cingulum.digests import Digests
    >>> upload_id, digests = UUID(int=1), Digests(size_bytes=1, sha256="ff" * 32, md5="ff" * 16)
    >>> output = JobOutput(relative_path="alf/fit.json", upload_id=upload_id, sha256=digests.sha256)
    >>> uploads = {upload_id: UploadFact(upload_id, None, UploadState.LANDED, 7, digests)}
    >>> decide(7, AttemptState.PUBLISHING, [output], uploads, was_answered=False).answer.value
    'register'
    >>> decide(7, AttemptState.LOST, [output], uploads, was_answered=False).answer.value
    'ignore'
    """
    if was_answered:
        return PublicationDecision(PublicationAnswer.REPEAT)
    if attempt is not AttemptState.PUBLISHING:
        return PublicationDecision(PublicationAnswer.IGNORE)
    for output in outputs:
        upload = uploads.get(output.upload_id)
        if upload is None or upload.state is not UploadState.LANDED or upload.token != token:
            reason = f"{output.relative_path}: its upload has not landed with this token."
            return PublicationDecision(PublicationAnswer.REFUSE, reason)
        if upload.digests is None or upload.digests.sha256 != output.sha256:
            reason = f"{output.relative_path}: its upload has another SHA-256."
            return PublicationDecision(PublicationAnswer.REFUSE, reason)
    return (
        PublicationDecision(PublicationAnswer.REFUSE, objection)
        if objection
        else PublicationDecision(PublicationAnswer.REGISTER)
    )
