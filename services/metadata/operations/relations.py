"""The many-to-many relations of metadata's rows, as bodies and audit entries name them."""

from __future__ import annotations

from typing import Final

from libs.common.db import Transaction
from libs.common.db.links import Links, audit_links
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    DelegateRow,
    LabRepositoryRow,
    LineAlleleRow,
    ProjectUserRow,
    SessionProjectRow,
    SubjectProjectRow,
    ZygosityRow,
)
from services.metadata.queries.sessions import insert_private_projects

USERS_OF_ACTION: Final = Links("users", ActionUserRow, "action_id", "user_id")
PROCEDURES_OF_ACTION: Final = Links("procedures", ActionProcedureRow, "action_id", "procedure_id")
PROJECTS_OF_SESSION: Final = Links("projects", SessionProjectRow, "session_id", "project_id")
PROJECTS_OF_SUBJECT: Final = Links("projects", SubjectProjectRow, "subject_id", "project_id")
ALLELES_OF_LINE: Final = Links("alleles", LineAlleleRow, "line_id", "allele_id")
REPOSITORIES_OF_LAB: Final = Links("repositories", LabRepositoryRow, "lab_id", "repository_id")
USERS_OF_PROJECT: Final = Links("users", ProjectUserRow, "project_id", "user_id")
ZYGOSITIES: Final = Links("zygosities", ZygosityRow, "subject_id", "allele_id", "zygosity")
DELEGATES: Final = Links("allowed_users", DelegateRow, "user_id", "delegate_id")


async def add_private_projects(tx: Transaction, session: ActionRow) -> None:
    """Add a session to the private projects of its subject."""
    before = await PROJECTS_OF_SESSION.fetch(tx.session, session.id)
    await insert_private_projects(tx.session, session.id, session.subject_id)
    after = await PROJECTS_OF_SESSION.fetch(tx.session, session.id)
    audit_links(tx, PROJECTS_OF_SESSION, session.kind, session.id, before, after)
