"""The page of a job, of a response as scheduler sends it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request

from libs.common.schemas.job_files import JobInput, JobOutput
from libs.common.schemas.jobs import JobDetail
from services.portal.pages.rendering import page_of
from services.portal.pages.viewer import PagePart

ID = UUID(int=7)
NOW = datetime(2024, 4, 5, tzinfo=UTC)


def test_files_of_a_completed_job_are_listed_by_path() -> None:
    job = JobDetail(
        id=ID,
        task="trial_summary",
        session_id=ID,
        subject="KS014",
        lab="hilllab",
        session_path="hilllab/Subjects/KS014/2024-04-05/001",
        probe="",
        state="Complete",
        why="It is complete.",
        worker="w1",
        attempts=1,
        priority=50,
        inputs=[JobInput(relative_path="alf/_ibl_trials.table.pqt", dataset_id=ID, sha256="aa" * 32)],
        outputs=[JobOutput(relative_path="alf/fit.json", upload_id=ID, sha256="bb" * 32)],
        created_at=NOW,
        updated_at=NOW,
        history=[],
    )
    scope = {"type": "http", "path": f"/app/jobs/{ID}", "headers": [], "query_string": b"", "method": "GET"}
    response = page_of(
        Request(scope),
        "job.html",
        job=job.model_dump(mode="json"),
        name="trial_summary",
        tone="good",
        log=PagePart([]),
        after=0,
        live=False,
    )
    page = bytes(response.body).decode()
    assert ">alf/_ibl_trials.table.pqt<" in page
    assert ">alf/fit.json<" in page
