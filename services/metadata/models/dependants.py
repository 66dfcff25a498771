"""What is deleted with what, and what refuses or stays: docs/decisions/0010-deletes-and-undo.md."""

from __future__ import annotations

from typing import Final

from libs.common.db.dependants import Dependants, cascades, keeps, refuses
from services.metadata.models.actions import ActionRow
from services.metadata.models.channels import ChannelRow
from services.metadata.models.fields_of_view import FieldOfViewRow
from services.metadata.models.fov_locations import FovLocationRow
from services.metadata.models.insertions import InsertionRow
from services.metadata.models.labs import LabRow
from services.metadata.models.lines import LineRow
from services.metadata.models.litters import LitterRow
from services.metadata.models.locations import LocationRow
from services.metadata.models.memberships import MembershipRow
from services.metadata.models.notes import NoteRow
from services.metadata.models.projects import ProjectRow
from services.metadata.models.subjects import SubjectRow
from services.metadata.models.trajectories import TrajectoryRow
from services.metadata.models.users import UserRow
from services.metadata.models.water_administrations import WaterAdministrationRow
from services.metadata.models.weighings import WeighingRow

DEPENDANTS: Final = Dependants(
    {
        UserRow: "user",
        LabRow: "lab",
        ProjectRow: "project",
        MembershipRow: "membership",
        LocationRow: "location",
        SubjectRow: "subject",
        ActionRow: ActionRow.kind,
        InsertionRow: "insertion",
        TrajectoryRow: "trajectory",
        ChannelRow: "channel",
        FieldOfViewRow: "field-of-view",
        FovLocationRow: "fov-location",
        WeighingRow: "weighing",
        WaterAdministrationRow: "water-administration",
        NoteRow: "note",
    },
    cascades(MembershipRow.user_id, MembershipRow.lab_id, LocationRow.lab_id),
    refuses(SubjectRow.lab_id, "The lab has subjects: move them to another lab, or delete them first."),
    refuses(
        ActionRow.lab_id, "The lab has sessions, surgeries or restrictions: move them to another lab first."
    ),
    keeps(LineRow.lab_id, reason="animals of other labs are of this line"),
    cascades(ActionRow.subject_id, InsertionRow.session_id),
    cascades(TrajectoryRow.insertion_id, TrajectoryRow.chronic_insertion_id, ChannelRow.trajectory_id),
    cascades(FieldOfViewRow.session_id, FovLocationRow.field_of_view_id),
    keeps(
        InsertionRow.chronic_insertion_id,
        reason="a probe in a session is data of its own; it shows no chronic insertion meanwhile",
    ),
    cascades(WeighingRow.subject_id, WaterAdministrationRow.subject_id),
    # Notes on records of other services are hidden with their records, and stay.
    cascades(
        NoteRow.object_id,
        to=[
            UserRow,
            LabRow,
            ProjectRow,
            MembershipRow,
            LocationRow,
            SubjectRow,
            ActionRow,
            InsertionRow,
            TrajectoryRow,
            ChannelRow,
            FieldOfViewRow,
            FovLocationRow,
            WeighingRow,
            WaterAdministrationRow,
            NoteRow,
        ],
    ),
    keeps(
        SubjectRow.responsible_user_id,
        NoteRow.user_id,
        WeighingRow.user_id,
        WaterAdministrationRow.user_id,
        reason="records name the person who made them, also after the account is deleted",
    ),
    keeps(
        WaterAdministrationRow.session_id,
        to=[ActionRow],
        reason="the animal had the water, whatever becomes of the session's record",
    ),
    keeps(ActionRow.parent_session_id, reason="a session is data of its own; it shows no parent meanwhile"),
    keeps(
        ActionRow.water_type_id,
        WaterAdministrationRow.water_type_id,
        LineRow.strain_id,
        TrajectoryRow.coordinate_system_id,
        FieldOfViewRow.imaging_type_id,
        FovLocationRow.coordinate_system_id,
        LitterRow.line_id,
        SubjectRow.species_id,
        SubjectRow.strain_id,
        SubjectRow.source_id,
        SubjectRow.line_id,
        SubjectRow.litter_id,
        reason="terms, lines and litters are not deleted",
    ),
    keeps(ActionRow.location_id, reason="a session names the room where it took place"),
)
