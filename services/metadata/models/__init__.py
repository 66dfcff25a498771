"""The tables of metadata, and what neighbours may see of them."""

from services.metadata.models.base import Base
from services.metadata.models.colony import (
    LineAlleleRow,
    LineRow,
    LitterRow,
    SubjectProjectRow,
    SubjectRow,
    VocabularyRow,
    WaterAdministrationRow,
    WeighingRow,
    ZygosityRow,
)
from services.metadata.models.experiments import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    InsertionRow,
    LocationRow,
    SessionProjectRow,
)
from services.metadata.models.identity import (
    BrowserSessionRow,
    DelegateRow,
    LabRepositoryRow,
    LabRow,
    MembershipRow,
    ProjectRow,
    ProjectUserRow,
    RightsChangeRow,
    SignInRecordRow,
    TokenRow,
    UserRow,
)
from services.metadata.models.published import PUBLISHED

__all__ = [
    "PUBLISHED",
    "ActionProcedureRow",
    "ActionRow",
    "ActionUserRow",
    "Base",
    "BrowserSessionRow",
    "DelegateRow",
    "InsertionRow",
    "LabRepositoryRow",
    "LabRow",
    "LineAlleleRow",
    "LineRow",
    "LitterRow",
    "LocationRow",
    "MembershipRow",
    "ProjectRow",
    "ProjectUserRow",
    "RightsChangeRow",
    "SessionProjectRow",
    "SignInRecordRow",
    "SubjectProjectRow",
    "SubjectRow",
    "TokenRow",
    "UserRow",
    "VocabularyRow",
    "WaterAdministrationRow",
    "WeighingRow",
    "ZygosityRow",
]
