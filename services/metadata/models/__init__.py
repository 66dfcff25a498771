"""The tables of metadata, and what neighbours may see of them."""

from services.metadata.models.actions import ActionProcedureRow, ActionRow, ActionUserRow
from services.metadata.models.base import Base
from services.metadata.models.brain_regions import VOID, BrainRegionRow
from services.metadata.models.browser_sessions import BrowserSessionRow
from services.metadata.models.channels import ChannelRow
from services.metadata.models.fields_of_view import FieldOfViewRow
from services.metadata.models.fov_locations import FovLocationRow
from services.metadata.models.imaging_stacks import ImagingStackRow
from services.metadata.models.insertions import InsertionRow
from services.metadata.models.labs import LabRepositoryRow, LabRow
from services.metadata.models.lines import LineAlleleRow, LineRow
from services.metadata.models.litters import LitterRow
from services.metadata.models.locations import LocationRow
from services.metadata.models.memberships import MembershipRow
from services.metadata.models.notes import NoteRow, PictureRow
from services.metadata.models.oidc import UserIdentityRow
from services.metadata.models.projects import ProjectRow, ProjectUserRow
from services.metadata.models.published import PUBLISHED
from services.metadata.models.rights_changes import RightsChangeRow
from services.metadata.models.second_factor import RecoveryCodeRow, SecondFactorRow
from services.metadata.models.session_merges import SessionMergeRow
from services.metadata.models.sessions import SessionProjectRow
from services.metadata.models.sign_in import SignInRecordRow
from services.metadata.models.subjects import SubjectProjectRow, SubjectRow, ZygosityRow
from services.metadata.models.tokens import TokenRow
from services.metadata.models.trajectories import TrajectoryRow
from services.metadata.models.users import DelegateRow, UserRow
from services.metadata.models.vocabularies import VocabularyRow
from services.metadata.models.water_administrations import WaterAdministrationRow
from services.metadata.models.weighings import WeighingRow

__all__ = [
    "PUBLISHED",
    "VOID",
    "ActionProcedureRow",
    "ActionRow",
    "ActionUserRow",
    "Base",
    "BrainRegionRow",
    "BrowserSessionRow",
    "ChannelRow",
    "DelegateRow",
    "FieldOfViewRow",
    "FovLocationRow",
    "ImagingStackRow",
    "InsertionRow",
    "LabRepositoryRow",
    "LabRow",
    "LineAlleleRow",
    "LineRow",
    "LitterRow",
    "LocationRow",
    "MembershipRow",
    "NoteRow",
    "PictureRow",
    "ProjectRow",
    "ProjectUserRow",
    "RecoveryCodeRow",
    "RightsChangeRow",
    "SecondFactorRow",
    "SessionMergeRow",
    "SessionProjectRow",
    "SignInRecordRow",
    "SubjectProjectRow",
    "SubjectRow",
    "TokenRow",
    "TrajectoryRow",
    "UserIdentityRow",
    "UserRow",
    "VocabularyRow",
    "WaterAdministrationRow",
    "WeighingRow",
    "ZygosityRow",
]
