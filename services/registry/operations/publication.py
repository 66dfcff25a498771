"""A job's outputs become datasets, all in one transaction or none; once per attempt, and always the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf import AlfError, check_plain_name, parse_inside
from cingulum.digests import Digests
from libs.common.db import Transaction
from libs.common.events import JobPublishing, OutputsRefused, OutputsRegistered
from libs.common.problem import BadRequest
from libs.common.schemas.states import UploadState
from libs.common.storage import ObjectMissing
from libs.common.visibility import system_visibility
from services.registry.domain.alyx_calls import ProtectedDataset, Target, effect_of_publication
from services.registry.domain.publication import Answer, PublishedOutput, decide
from services.registry.domain.requests import FileSaid, kinds_of
from services.registry.models import PublicationRow, RepositoryRow
from services.registry.operations.bulk_writes import Changes
from services.registry.operations.proofs import Shelf, tell_verified
from services.registry.operations.registration import datasets_of, key, set_defaults
from services.registry.queries import publication as queries
from services.registry.queries import registration
from services.registry.queries.publication import Attempt
from services.registry.queries.registration import KeptCopy, Registered, Scope


@dataclass
class Plan:
    """What an attempt's outputs would become; `objection` says why they cannot."""

    scope: Scope | None = None
    repository: RepositoryRow | None = None
    files: list[FileSaid] = field(default_factory=list)
    reads: list[Digests] = field(default_factory=list)
    known: list[Registered] = field(default_factory=list)
    objection: str = ""


async def job_publishing(tx: Transaction, shelf: Shelf, event: JobPublishing) -> None:
    """Register all outputs of an attempt, or none with a reason; asked again, say the same again."""
    await queries.lock_token(tx.session, event.token)
    before = await queries.answered(tx.session, event.token)
    attempt = await queries.attempt(tx.session, event.token)
    uploads = await queries.uploads(
        tx.session, [UUID(out["upload_id"]) for out in attempt.outputs] if attempt else []
    )
    outputs = [_output(out, uploads) for out in attempt.outputs] if attempt else []
    plan = await _plan(tx, shelf, attempt, uploads) if attempt and before is None else Plan()
    state = attempt.state if attempt else None
    decision = decide(event.token, state, outputs, was_answered=before is not None, objection=plan.objection)
    if decision.answer is Answer.REPEAT and before is not None:
        _say(tx, before.job_id, event.token, before.dataset_ids, before.refused)
    elif decision.answer is Answer.REFUSE:
        await _answer(tx, event, [], decision.reason)
    elif decision.answer is Answer.REGISTER and plan.scope and plan.repository:
        ids = await _register(tx, shelf, plan, plan.scope, plan.repository, event)
        await _answer(tx, event, ids, None)


def _output(out: dict[str, str], uploads: dict[UUID, Any]) -> PublishedOutput:
    upload = uploads.get(UUID(out["upload_id"]))
    if upload is None:
        return PublishedOutput(out["name"], out["sha256"], None, None, None)
    return PublishedOutput(out["name"], out["sha256"], UploadState(upload.state), upload.sha256, upload.token)


async def _answer(tx: Transaction, event: JobPublishing, ids: list[UUID], refused: str | None) -> None:
    tx.session.add(PublicationRow(token=event.token, job_id=event.job_id, dataset_ids=ids, refused=refused))
    tx.audit(
        "outputs.refused" if refused else "outputs.registered", "job", event.job_id, after={"n": len(ids)}
    )
    _say(tx, event.job_id, event.token, ids, refused)


def _say(tx: Transaction, job_id: UUID, token: int, ids: Sequence[UUID], refused: str | None) -> None:
    if refused is None:
        tx.publish(OutputsRegistered(job_id=job_id, token=token, dataset_ids=list(ids)))
    else:
        tx.publish(OutputsRefused(job_id=job_id, token=token, reason=refused))


async def _plan(tx: Transaction, shelf: Shelf, attempt: Attempt, uploads: dict[UUID, Any]) -> Plan:
    """Find out what stands against the outputs, before anything is written."""
    plan = Plan()
    if attempt.session_id is not None:
        plan.scope = await registration.session_by_id(tx.session, system_visibility(), attempt.session_id)
    if plan.scope is None:
        plan.objection = "The job's session is not there any more."
        return plan
    plan.repository = await queries.central_repository(tx.session, shelf.kind, plan.scope.lab_id)
    if plan.repository is None:
        plan.objection = f"No data repository is bound to the central store (store: {shelf.kind})."
        return plan
    for out in attempt.outputs:
        upload = uploads.get(UUID(out["upload_id"]))
        if upload is None or upload.sha256 is None:
            continue  # `decide` refuses it by name
        folder, _, name = out["name"].rpartition("/")
        try:
            collection, revision = parse_inside(folder)
            plan.files.append(
                FileSaid(
                    collection, revision, check_plain_name(name), upload.md5, upload.size_bytes, None, None
                )
            )
        except AlfError as error:
            plan.objection = str(error)
            return plan
        plan.reads.append(Digests(size_bytes=upload.size_bytes, sha256=upload.sha256, md5=upload.md5))
    plan.objection = await _kinds_missing(tx, plan)
    await registration.lock_scope(tx.session, plan.scope)
    plan.known = await registration.registered(tx.session, plan.scope, {file.name for file in plan.files})
    plan.objection = plan.objection or _protected(plan) or await _missing(shelf, plan)
    return plan


async def _missing(shelf: Shelf, plan: Plan) -> str:
    for file, read in zip(plan.files, plan.reads, strict=True):
        try:
            await shelf.store.stat(read.sha256)
        except ObjectMissing:
            return f"{file.name}: its bytes are not in the store any more."
    return ""


async def _kinds_missing(tx: Transaction, plan: Plan) -> str:
    types, _ = await registration.types_known(tx.session)
    formats = await registration.formats_known(tx.session)
    try:
        kinds_of(plan.files, types, list(formats))
    except BadRequest as problem:
        return "; ".join(text for texts in problem.fields.values() for text in texts)
    return ""


def _protected(plan: Plan) -> str:
    before = {(row.collection, row.revision, row.name): row for row in plan.known}
    for file, read in zip(plan.files, plan.reads, strict=True):
        row = before.get(key(file))
        if row is not None and row.is_protected and row.version.sha256 != read.sha256:
            return f"{file.name}: {ProtectedDataset.detail}."
    return ""


async def _register(
    tx: Transaction, shelf: Shelf, plan: Plan, scope: Scope, repository: RepositoryRow, event: JobPublishing
) -> list[UUID]:
    ids = await datasets_of(tx, scope, plan.files, plan.known, None)
    before = {(row.collection, row.revision, row.name): row for row in plan.known}
    kept = await registration.copies_of(tx.session, [row.id for row in plan.known])
    places = await tx.session.execute(sa.select(RepositoryRow.name, RepositoryRow.id))
    changes = Changes({row.name: row.id for row in places}, how=f"output of job {event.job_id}")
    target = Target(repository.name, registration.place_of(repository.store), is_named=True)
    for file, read in zip(plan.files, plan.reads, strict=True):
        row = before.get(key(file))
        which = ids[key(file)]
        copies: list[KeptCopy] = kept.get(which, [])
        version = row.version if row else None
        changes.note(
            which, version, copies, effect_of_publication(version, [k.copy for k in copies], read, target)
        )
    await changes.write(tx)
    await set_defaults(tx, scope, plan.files, ids, default=True, existing=before)
    names = [_tree_name(scope, file) for file in plan.files]
    await shelf.show({name: read.sha256 for name, read in zip(names, plan.reads, strict=True)})
    sha256s = {ids[key(file)]: read.sha256 for file, read in zip(plan.files, plan.reads, strict=True)}
    for which, copy_id in changes.verified.items():
        tell_verified(tx, which, copy_id, scope.session_id, sha256s[which])
    return [ids[key(file)] for file in plan.files]


def _tree_name(scope: Scope, file: FileSaid) -> str:
    revision = f"#{file.revision}#" if file.revision else ""
    return "/".join(filter(None, (scope.folder, file.collection, revision, file.name)))
