"""Why a dataset cannot be loaded, or a session not be written in another format. Ours."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from cingulum.alf.name_patterns import NamePattern
from libs.common.auth import Sees
from libs.common.db import IdempotentRoute, Reading
from libs.common.filters.parameters import Qc
from libs.common.problem import BadRequest, NotFound, problems
from libs.common.schemas.files.why_not import WhyNot
from services.registry.operations import why_not as operations

router = APIRouter(route_class=IdempotentRoute, tags=["datasets"])


@router.get("/why-not", responses=problems(BadRequest, NotFound))
async def explain_loading(
    visibility: Sees,
    reading: Reading,
    session: Annotated[UUID, Query(description="Id of the session.")],
    dataset: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=500,
            pattern=r"^[^\x00]*$",
            description="Name or pattern, such as `spikes.times` or `alf/probe00/spikes.times.npy`.",
        ),
    ] = None,
    target: Annotated[
        Literal["nwb"] | None,
        Query(
            alias="as", description="Instead of a dataset: what is missing for an NWB file of the session."
        ),
    ] = None,
    probe: Annotated[
        str | None,
        Query(max_length=100, description="Folder of the dataset's collection, such as `probe00`."),
    ] = None,
    revision: Annotated[
        str | None, Query(max_length=100, description="Revision to load; without it the default one.")
    ] = None,
    qc: Annotated[Qc | None, Query(description="Worst QC to accept, by number or name.")] = None,
) -> WhyNot:
    """Explain why a dataset of a session cannot be loaded by the caller, with next steps, or that it can.

    With `as=nwb`, explain what an NWB file of the session lacks, before one is written.
    """
    if (dataset is None) == (target is None):
        raise BadRequest(fields={"dataset": ["Send either `dataset` or `as`."]})
    if dataset is None:
        reasons = await operations.explain_export(reading, visibility, session)
    else:
        reasons = await operations.explain(
            reading,
            visibility,
            session,
            NamePattern.parse(dataset, probe=probe),
            revision=revision,
            worst_qc=qc,
        )
    loads = not any(reason.blocks for reason in reasons)
    return WhyNot.model_validate({"session": session, "dataset": dataset, "loads": loads, "reasons": reasons})
