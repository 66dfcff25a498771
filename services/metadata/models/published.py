"""What neighbours may see: the SELECT behind each view that `libs/common/published/` promises."""

from __future__ import annotations

from typing import Final

from libs.common.schemas.trajectories import ALIGNED

# Labs of current memberships, projects, and users whose subjects this one may edit. Users who were
# deactivated are left out: a deactivated user delegates no rights.
_RIGHTS: Final = """
               ARRAY(SELECT m.lab_id FROM metadata.memberships m WHERE m.user_id = u.id AND m.deleted_at IS NULL
                     AND m.start_date <= current_date AND (m.end_date IS NULL OR m.end_date >= current_date)
                    ) AS lab_ids,
               ARRAY(SELECT p.project_id FROM metadata.project_users p WHERE p.user_id = u.id) AS project_ids,
               ARRAY(SELECT d.user_id FROM metadata.delegates d JOIN metadata.users o ON o.id = d.user_id
                     WHERE d.delegate_id = u.id AND o.is_active AND o.deleted_at IS NULL) AS delegator_ids"""

PUBLISHED: Final[dict[str, str]] = {
    "users": """
        SELECT id, username, is_active, is_superuser, is_stock_manager, is_public_user, is_staff, email, created_at
        FROM metadata.users WHERE deleted_at IS NULL""",
    "usernames": "SELECT id, username FROM metadata.users",
    "memberships": """
        SELECT id, user_id, lab_id, role, start_date, end_date FROM metadata.memberships WHERE deleted_at IS NULL""",
    "tokens": f"""
        SELECT t.token_hash, t.id AS token_id, u.id AS user_id, u.username, u.is_superuser, u.is_stock_manager,
               u.is_public_user, t.scopes, t.expires_at, {_RIGHTS}
        FROM metadata.tokens t JOIN metadata.users u ON u.id = t.user_id
        WHERE t.revoked_at IS NULL AND u.is_active AND u.deleted_at IS NULL
              AND (t.kind <> 'worker' OR u.is_superuser)""",  # noqa: S608 - of constants
    "browser_sessions": f"""
        SELECT b.token_hash, b.id AS token_id, u.id AS user_id, u.username, u.is_superuser, u.is_stock_manager,
               u.is_public_user, b.used_at, b.idle_until, b.expires_at, {_RIGHTS}
        FROM metadata.browser_sessions b JOIN metadata.users u ON u.id = b.user_id
        WHERE b.ended_at IS NULL AND u.is_active AND u.deleted_at IS NULL""",  # noqa: S608
    "labs": """
        SELECT id, name, timezone, institution, address, reference_weight_pct, zscore_weight_pct, json
        FROM metadata.labs WHERE deleted_at IS NULL""",
    "locations": "SELECT id, name, lab_id, json FROM metadata.locations WHERE deleted_at IS NULL",
    "terms": "SELECT id, kind, name, nickname, description, json FROM metadata.vocabulary WHERE deleted_at IS NULL",
    "lines": "SELECT id, name, nickname, strain_id, lab_id FROM metadata.lines WHERE deleted_at IS NULL",
    "litters": "SELECT id, name, birth_date, line_id, json FROM metadata.litters WHERE deleted_at IS NULL",
    "lab_repositories": "SELECT lab_id, repository_id FROM metadata.lab_repositories",
    "projects": "SELECT id, name, is_private, description, json FROM metadata.projects WHERE deleted_at IS NULL",
    "project_members": "SELECT project_id, user_id FROM metadata.project_users",
    "session_audience": """
        SELECT sp.session_id, sp.project_id, p.is_private
        FROM metadata.session_projects sp JOIN metadata.projects p ON p.id = sp.project_id""",
    "subject_audience": """
        SELECT sp.subject_id, sp.project_id, p.is_private
        FROM metadata.subject_projects sp JOIN metadata.projects p ON p.id = sp.project_id""",
    "rights_changes": "SELECT seq FROM metadata.rights_changes",
    "subjects": """
        SELECT s.id, s.nickname, s.lab_id, l.name AS lab, s.responsible_user_id, s.sex, s.description, s.birth_date,
               s.death_date, s.species_id, s.strain_id, s.source_id, s.line_id, s.litter_id, s.json
        FROM metadata.subjects s LEFT JOIN metadata.labs l ON l.id = s.lab_id WHERE s.deleted_at IS NULL""",
    "zygosities": "SELECT subject_id, allele_id, zygosity FROM metadata.zygosities",
    "sessions": """
        SELECT a.id, a.subject_id, s.nickname AS subject, a.lab_id, l.name AS lab, a.start_time, a.start_at,
               a.day AS date, a.number, a.task_protocol, a.type,
               ARRAY(SELECT p.name FROM metadata.session_projects sp JOIN metadata.projects p ON p.id = sp.project_id
                     WHERE sp.session_id = a.id AND p.deleted_at IS NULL ORDER BY p.name) AS projects,
               s.responsible_user_id, a.created_at,
               ARRAY(SELECT v.name FROM metadata.action_procedures ap
                     JOIN metadata.vocabulary v ON v.id = ap.procedure_id
                     WHERE ap.action_id = a.id ORDER BY v.name) AS procedures,
               concat(coalesce(l.name, o.name), '/Subjects/', s.nickname, '/', to_char(a.day, 'YYYY-MM-DD'), '/',
                      lpad(coalesce(a.number, 0)::text, 3, '0')) AS folder,
               a.narrative, a.end_time, a.qc, a.extended_qc, a.n_trials, a.n_correct_trials, a.parent_session_id,
               a.location_id, a.auto_datetime, a.json
        FROM metadata.actions a JOIN metadata.subjects s ON s.id = a.subject_id
        LEFT JOIN metadata.labs l ON l.id = a.lab_id
        LEFT JOIN metadata.labs o ON o.id = s.lab_id
        WHERE a.kind = 'session' AND a.deleted_at IS NULL AND s.deleted_at IS NULL""",
    "session_merges": """
        SELECT m.id AS merge_id, unnest(m.session_ids) AS session_id, m.into_id
        FROM metadata.session_merges m WHERE m.undone_at IS NULL""",
    "session_users": "SELECT action_id AS session_id, user_id FROM metadata.action_users",
    "session_procedures": "SELECT action_id AS session_id, procedure_id FROM metadata.action_procedures",
    "notes": """
        SELECT id, content_type, object_id, user_id, date_time, text, image_path, json
        FROM metadata.notes WHERE deleted_at IS NULL""",
    "session_projects": "SELECT session_id, project_id FROM metadata.session_projects",
    "insertions": """
        SELECT i.id, i.session_id, i.name, i.model, i.serial, i.auto_datetime, i.json
        FROM metadata.insertions i JOIN metadata.actions a ON a.id = i.session_id
        WHERE i.deleted_at IS NULL AND a.deleted_at IS NULL""",
    "fields_of_view": """
        SELECT f.id, f.session_id, f.name, v.name AS imaging_type, f.dataset_ids, f.imaging_type_id, f.json
        FROM metadata.fields_of_view f LEFT JOIN metadata.vocabulary v ON v.id = f.imaging_type_id
        WHERE f.deleted_at IS NULL""",
    "brain_regions": "SELECT id, acronym, name, position, last FROM metadata.brain_regions",
    "recorded_regions": f"""
        SELECT i.session_id, i.name, NULL::uuid[] AS dataset_ids, c.brain_region_id AS region_id
        FROM metadata.channels c JOIN metadata.trajectories t ON t.id = c.trajectory_id
        JOIN metadata.insertions i ON i.id = t.insertion_id
        WHERE t.provenance >= {ALIGNED} AND c.deleted_at IS NULL AND t.deleted_at IS NULL AND i.deleted_at IS NULL
        UNION ALL
        SELECT f.session_id, f.name, f.dataset_ids, covered.region_id
        FROM metadata.fov_locations l JOIN metadata.fields_of_view f ON f.id = l.field_of_view_id
        CROSS JOIN LATERAL unnest(l.brain_region_ids) AS covered (region_id)
        WHERE l.default_provenance AND l.deleted_at IS NULL AND f.deleted_at IS NULL""",  # noqa: S608 - of constants
}
