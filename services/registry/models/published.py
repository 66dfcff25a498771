"""The published views of registry: the SELECT of each view that `libs/common/published/` declares."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import aliased

from services.registry.models.copies import CopyRow
from services.registry.models.datasets import DatasetRow
from services.registry.models.expressions import is_shown, path_in_folder, shown_size, sql_of
from services.registry.models.repositories import RepositoryRow

_copy, _repository = aliased(CopyRow, name="c"), aliased(RepositoryRow, name="r")
_SIZE: Final = shown_size("v")
_PATH: Final = sql_of(path_in_folder(aliased(DatasetRow, name="d")))
_IS_SHOWN: Final = sql_of(is_shown(_copy, _repository))
_SHOWN_COPIES: Final = f"""
    FROM registry.copies c JOIN registry.repositories r ON r.id = c.repository_id
    WHERE c.dataset_id = d.id AND c.generation = d.generation AND ({_IS_SHOWN}) AND NOT r.globus_is_personal"""
_IN_RELEASE: Final = """SELECT FROM registry.release_datasets rd JOIN registry.releases r ON r.id = rd.release_id
                       WHERE rd.dataset_id = d.id AND rd.pulled_at IS NULL AND"""
_SERVERS: Final = f"{_SHOWN_COPIES} AND r.data_url IS NOT NULL ORDER BY r.store IS NULL, r.name LIMIT 1"

# Rows of `datasets` that a LEFT JOIN adds nothing to, as each has its type, format and version: the planner leaves out
# those of which a statement reads no column.
PUBLISHED: Final[dict[str, str]] = {
    "repositories": """
        SELECT id, name, data_url, hostname, globus_is_personal, store, globus_endpoint_id, globus_path
        FROM registry.repositories""",
    "dataset_types": "SELECT id, name, filename_pattern FROM registry.dataset_types",
    "datasets": f"""
        SELECT d.id, d.session_id, d.name, d.collection, d.revision,
               {_PATH} AS rel_path,
               t.name AS dataset_type, f.name AS data_format, d.is_default AS default_revision, d.qc,
               v.id AS version_id, d.generation, {_SIZE} AS file_size, v.md5, v.sha256,
               EXISTS (SELECT {_SHOWN_COPIES}) AS on_server,
               EXISTS (SELECT FROM registry.dataset_tags dt JOIN registry.tags g ON g.id = dt.tag_id
                       WHERE dt.dataset_id = d.id AND g.protected)
               OR EXISTS ({_IN_RELEASE} r.state IN ('checked', 'published')) AS protected,
               EXISTS (SELECT FROM registry.dataset_tags dt JOIN registry.tags g ON g.id = dt.tag_id
                       WHERE dt.dataset_id = d.id AND g.public)
               OR EXISTS ({_IN_RELEASE} rd.generation = d.generation AND r.state = 'published'
                          AND r.public_from <= statement_timestamp()) AS public,
               d.created_at,
               (SELECT r.data_url {_SERVERS}) AS data_url,
               d.software_version AS version, d.content_type, d.object_id,
               {_PATH} AS relative_path, {_SIZE} AS size_bytes,
               (SELECT r.store {_SERVERS}) AS data_store,
               (SELECT c.relative_path {_SERVERS}) AS data_path, d.dataset_type_id,
               (SELECT ARRAY[r.data_url, r.store, c.relative_path] {_SERVERS}) AS data_server
        FROM registry.datasets d
        LEFT JOIN registry.dataset_types t ON t.id = d.dataset_type_id
        LEFT JOIN registry.formats f ON f.id = d.format_id
        LEFT JOIN registry.versions v ON v.dataset_id = d.id AND v.generation = d.generation
        WHERE d.deleted_at IS NULL""",  # noqa: S608
    "session_dataset_types": "SELECT session_id, dataset_type_id FROM registry.datasets WHERE deleted_at IS NULL",
    "served_datasets": f"""
        SELECT d.id, d.session_id, d.collection, d.name, d.qc
        FROM registry.datasets d WHERE d.deleted_at IS NULL AND EXISTS (SELECT {_SHOWN_COPIES})""",  # noqa: S608
    "data_formats": "SELECT id, name, description, file_extension FROM registry.formats",
    "repository_types": "SELECT id, name FROM registry.repository_types",
    "revisions": "SELECT id, name, description, created_at FROM registry.revisions",
    "data_notices": """
        SELECT id, user_id, name, description, importance, version_affected, affected_date_start, affected_date_end,
               created_at, json
        FROM registry.data_notices WHERE deleted_at IS NULL""",
    "data_notice_datasets": "SELECT data_notice_id, dataset_id FROM registry.data_notice_datasets",
    "data_notice_readers": """
        SELECT d.notice_id AS data_notice_id, r.dataset_id, r.user_id
        FROM registry.release_datasets d
        JOIN registry.release_reads r ON r.release_id = d.release_id AND r.dataset_id = d.dataset_id
        WHERE d.notice_id IS NOT NULL AND r.user_id IS NOT NULL""",
    "tags": "SELECT id, name, protected, public FROM registry.tags",
    "dataset_tags": """
        SELECT dt.dataset_id, g.name AS tag
        FROM registry.dataset_tags dt JOIN registry.tags g ON g.id = dt.tag_id""",
    "copies": f"""
        SELECT c.id, c.dataset_id, v.id AS version_id, c.generation, d.session_id,
               split_part(d.lab_path, '/', 1) AS lab, c.repository_id, r.name AS repository, r.store, c.state,
               concat(d.lab_path, '/', {_PATH}) AS relative_path,
               v.size_bytes AS file_size, v.md5, v.sha256, c.proved_at, c.order_proof, ({_IS_SHOWN}) AS exists,
               v.size_bytes, coalesce(c.file_id, c.id) AS file_id, c.relative_path AS own_path
        FROM registry.copies c
        JOIN registry.datasets d ON d.id = c.dataset_id
        JOIN registry.repositories r ON r.id = c.repository_id
        JOIN registry.versions v ON v.dataset_id = c.dataset_id AND v.generation = c.generation
        WHERE d.deleted_at IS NULL AND c.state <> 'retired'""",  # noqa: S608
    "downloads": "SELECT id, dataset_id, user_id, count, json FROM registry.downloads",
}
