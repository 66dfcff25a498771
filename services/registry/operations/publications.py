"""Registration of a job's outputs as datasets: all in one transaction or none; each attempt is answered once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from cingulum.alf import AlfError, check_plain_name, inner_path, parse_inside
from cingulum.digests import Digests
from libs.common.db import Transaction
from libs.common.events import JobPublishing, OutputsRefused, OutputsRegistered
from libs.common.merges import is_merged
from libs.common.problem import BadRequest, Conflict, Problem, Unavailable
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState
from libs.common.storage import ObjectMissing
from libs.common.visibility import system_visibility
from services.registry.domain.alyx_calls import ProtectedDataset, RepositoryTarget, effect_of_publication
from services.registry.domain.publications import PublicationAnswer, decide
from services.registry.domain.requests import RequestedFile, match_kinds
from services.registry.domain.uploads import UploadFact
from services.registry.domain.vocabularies import with_new_types
from services.registry.operations.bulk_writes import BulkWrites
from services.registry.operations.central_store import CentralStore
from services.registry.operations.default_revisions import set_default_revisions
from services.registry.operations.new_names import check_new_names
from services.registry.operations.proofs import publish_verified
from services.registry.operations.registration import insert_datasets
from services.registry.operations.taken_paths import check_files_free
from services.registry.queries import publications as queries
from services.registry.queries import registration
from services.registry.queries.copies import fetch_copies_of_datasets
from services.registry.queries.known_files import KnownDataset, fetch_known_files
from services.registry.queries.proofs import fetch_uploads
from services.registry.queries.publications import Publication, PublishingAttempt
from services.registry.queries.registration import RegistrationScope
from services.registry.queries.registration_locks import lock_registrations
from services.registry.queries.repositories import (
    KnownRepository,
    fetch_repository_ids,
    find_central_repository,
)
from services.registry.queries.vocabularies import fetch_dataset_types, fetch_formats


class OutputsImpossible(Exception):
    """The outputs of an attempt cannot become datasets; the text says why."""


@dataclass(frozen=True)
class PlannedOutput:
    """A file of a job, and the bytes that were uploaded for it."""

    file: RequestedFile
    digests: Digests


@dataclass(frozen=True)
class Plan:
    """What an attempt's outputs become."""

    scope: RegistrationScope
    repository: KnownRepository
    outputs: list[PlannedOutput]
    known: list[KnownDataset]
    creates_types: bool

    @property
    def files(self) -> list[RequestedFile]:
        """The files of the outputs."""
        return [output.file for output in self.outputs]


async def job_publishing(
    tx: Transaction, central: CentralStore, event: JobPublishing, *, creates_types: bool
) -> None:
    """Register all outputs of an attempt, or none with a reason; a repeated event gets the same answer again."""
    await queries.lock_token(tx.session, event.token)
    before = await queries.find_publication(tx.session, event.token)
    attempt = await queries.find_attempt(tx.session, event.token)
    outputs = attempt.outputs if attempt else ()
    uploads = await fetch_uploads(tx.session, [output.upload_id for output in outputs])
    plan, objection = None, ""
    if attempt is not None and before is None:
        try:
            plan = await _make_plan(tx, central, attempt, uploads, creates_types=creates_types)
        except OutputsImpossible as impossible:
            objection = str(impossible)
    decision = decide(
        event.token,
        attempt.state if attempt else None,
        outputs,
        uploads,
        was_answered=before is not None,
        objection=objection,
    )
    if decision.answer is PublicationAnswer.REPEAT and before is not None:
        _publish(tx, before)
    elif decision.answer is PublicationAnswer.REFUSE:
        await _answer(tx, Publication(event.job_id, event.token, refused=decision.reason))
    elif decision.answer is PublicationAnswer.REGISTER and plan is not None:
        dataset_ids = await _register(tx, central, plan, event.job_id)
        await _answer(tx, Publication(event.job_id, event.token, tuple(dataset_ids)))


async def _answer(tx: Transaction, publication: Publication) -> None:
    await queries.insert_publication(tx.session, publication)
    action = "outputs.registered" if publication.refused is None else "outputs.refused"
    tx.audit(action, "job", publication.job_id, after={"n": len(publication.dataset_ids)})
    _publish(tx, publication)


def _publish(tx: Transaction, publication: Publication) -> None:
    job_id, token = publication.job_id, publication.token
    if publication.refused is None:
        dataset_ids = list(publication.dataset_ids)
        tx.publish(OutputsRegistered(job_id=job_id, token=token, dataset_ids=dataset_ids))
    else:
        tx.publish(OutputsRefused(job_id=job_id, token=token, reason=publication.refused))


async def _make_plan(
    tx: Transaction,
    central: CentralStore,
    attempt: PublishingAttempt,
    uploads: Mapping[UUID, UploadFact],
    *,
    creates_types: bool,
) -> Plan:
    """Check everything that the outputs need, before anything is written.

    Raises OutputsImpossible; Unavailable until scheduler has moved the running job of a merged session.
    """
    scope = None
    if attempt.session_id is not None:
        await lock_registrations(tx.session, attempt.session_id)
        scope = await registration.find_session_by_id(tx.session, system_visibility(), attempt.session_id)
        is_moving = scope is None and attempt.state is AttemptState.PUBLISHING
        if is_moving and await is_merged(tx.session, attempt.session_id):
            raise Unavailable("The job's session was merged into another one: the job moves there first.")
    if scope is None:
        raise OutputsImpossible("The job's session no longer exists.")
    repository = await find_central_repository(tx.session, central.kind, scope.lab_id)
    if repository is None:
        raise OutputsImpossible(f"No data repository is bound to the central store (store: {central.kind}).")
    outputs = _parse_outputs(attempt.outputs, uploads)
    files = [output.file for output in outputs]
    await _check_kinds(tx, files, creates_types=creates_types)
    known, paths = await fetch_known_files(tx.session, scope, {file.name for file in files})
    try:
        check_new_names(scope, files, known, paths)
        await check_files_free(tx.session, system_visibility(), scope, files, known, [repository.name])
    except (BadRequest, Conflict, ProtectedDataset) as problem:
        raise OutputsImpossible(_text_of(problem)) from None
    _check_protected(outputs, known)
    await _check_stored(central, outputs)
    return Plan(scope, repository, outputs, known, creates_types=creates_types)


def _parse_outputs(outputs: Sequence[JobOutput], uploads: Mapping[UUID, UploadFact]) -> list[PlannedOutput]:
    """The outputs whose uploads landed: `decide` refuses the others by name."""
    parsed = []
    for output in outputs:
        upload = uploads.get(output.upload_id)
        digests = upload.digests if upload else None
        if digests is None:
            continue
        folder, _, name = output.relative_path.rpartition("/")
        try:
            collection, revision = parse_inside(folder)
            name = check_plain_name(name)
        except AlfError as error:
            raise OutputsImpossible(str(error)) from None
        file = RequestedFile(
            collection=collection,
            revision=revision,
            name=name,
            md5=digests.md5,
            size_bytes=digests.size_bytes,
        )
        parsed.append(PlannedOutput(file, digests))
    return parsed


async def _check_stored(central: CentralStore, outputs: Sequence[PlannedOutput]) -> None:
    for output in outputs:
        try:
            await central.store.stat(output.digests.sha256)
        except ObjectMissing:
            text = f"{output.file.name}: its bytes are no longer in the store."
            raise OutputsImpossible(text) from None


async def _check_kinds(tx: Transaction, files: Sequence[RequestedFile], *, creates_types: bool) -> None:
    types, _ = await fetch_dataset_types(tx.session)
    if creates_types:
        types = with_new_types([file.name for file in files], types)
    formats = await fetch_formats(tx.session)
    try:
        match_kinds(files, types, list(formats))
    except BadRequest as problem:
        raise OutputsImpossible(_text_of(problem)) from None


def _text_of(problem: Problem) -> str:
    texts = [text for texts in problem.fields.values() for text in texts]
    return "; ".join(texts) if texts else problem.detail


def _check_protected(outputs: Sequence[PlannedOutput], known: Sequence[KnownDataset]) -> None:
    before = {dataset.key: dataset for dataset in known}
    for output in outputs:
        dataset = before.get(output.file.key)
        if dataset and dataset.is_protected and dataset.version.sha256 != output.digests.sha256:
            raise OutputsImpossible(f"{output.file.name}: {ProtectedDataset.detail}.")


async def _register(tx: Transaction, central: CentralStore, plan: Plan, job_id: UUID) -> list[UUID]:
    ids = await insert_datasets(
        tx,
        plan.scope,
        plan.files,
        plan.known,
        None,
        creates_types=plan.creates_types,
        becomes_default=True,
    )
    before = {dataset.key: dataset for dataset in plan.known}
    stored = await fetch_copies_of_datasets(tx.session, [dataset.id for dataset in plan.known])
    writes = BulkWrites(await fetch_repository_ids(tx.session), how=f"output of job {job_id}")
    target = RepositoryTarget(plan.repository.name, plan.repository.place, is_named=True)
    for output in plan.outputs:
        dataset_id, dataset = ids[output.file.key], before.get(output.file.key)
        version = dataset.version if dataset else None
        copies = stored.get(dataset_id, [])
        effect = effect_of_publication(version, [row.copy for row in copies], output.digests, target)
        writes.add(dataset_id, version, copies, effect)
    await writes.write(tx)
    await set_default_revisions(tx, plan.scope, plan.files, ids, default=True, known=plan.known)
    await central.show(
        {_tree_name(plan.scope, output.file): output.digests.sha256 for output in plan.outputs}
    )
    sha256s = {ids[output.file.key]: output.digests.sha256 for output in plan.outputs}
    for dataset_id, copy_id in writes.verified.items():
        publish_verified(tx, dataset_id, copy_id, plan.scope.session_id, sha256s[dataset_id])
    return [ids[file.key] for file in plan.files]


def _tree_name(scope: RegistrationScope, file: RequestedFile) -> str:
    return f"{scope.folder}/{inner_path(file.collection, file.revision, file.name)}"
