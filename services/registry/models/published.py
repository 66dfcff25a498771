"""What neighbours may see: the SELECT behind each view that `libs/common/published.py` promises."""

from __future__ import annotations

from typing import Final

# Alyx's `exists`: verified, or a client's claim where nothing can be proved.
SHOWN: Final = "(c.state = 'verified' OR (c.state = 'claimed' AND r.store IS NULL))"
_HELD: Final = f"""
    FROM registry.copies c JOIN registry.repositories r ON r.id = c.repository_id
    WHERE c.dataset_id = d.id AND c.generation = d.generation AND {SHOWN} AND NOT r.globus_is_personal"""

PUBLISHED: Final[dict[str, str]] = {
    "repositories": """
        SELECT id, name, data_url, hostname, globus_is_personal, store, globus_endpoint_id, globus_path
        FROM registry.repositories""",
    "dataset_types": "SELECT id, name, filename_pattern FROM registry.dataset_types",
    "datasets": f"""
        SELECT d.id, d.session_id, d.name, d.collection, d.revision,
               concat(CASE WHEN d.collection <> '' THEN d.collection || '/' END,
                      CASE WHEN d.revision <> '' THEN '#' || d.revision || '#/' END, d.name) AS rel_path,
               t.name AS dataset_type, f.name AS data_format, d.is_default AS default_revision, d.qc,
               v.id AS version_id, d.generation, v.size_bytes AS file_size, v.md5, v.sha256,
               EXISTS (SELECT {_HELD}) AS on_server,
               EXISTS (SELECT FROM registry.dataset_tags dt JOIN registry.tags g ON g.id = dt.tag_id
                       WHERE dt.dataset_id = d.id AND g.protected) AS protected,
               EXISTS (SELECT FROM registry.dataset_tags dt JOIN registry.tags g ON g.id = dt.tag_id
                       WHERE dt.dataset_id = d.id AND g.public) AS public,
               d.created_at,
               (SELECT r.data_url {_HELD} AND r.data_url IS NOT NULL ORDER BY r.store IS NULL, r.name LIMIT 1)
                   AS data_url,
               d.software_version AS version, d.content_type, d.object_id
        FROM registry.datasets d
        JOIN registry.dataset_types t ON t.id = d.dataset_type_id
        JOIN registry.formats f ON f.id = d.format_id
        JOIN registry.versions v ON v.dataset_id = d.id AND v.generation = d.generation
        WHERE d.deleted_at IS NULL""",  # noqa: S608
    "tags": "SELECT id, name, protected, public FROM registry.tags",
    "dataset_tags": """
        SELECT dt.dataset_id, g.name AS tag
        FROM registry.dataset_tags dt JOIN registry.tags g ON g.id = dt.tag_id""",
    "copies": """
        SELECT c.id, c.dataset_id, v.id AS version_id, c.generation, d.session_id,
               split_part(d.lab_path, '/', 1) AS lab, c.repository_id, r.name AS repository, r.store, c.state,
               concat(d.lab_path, '/', CASE WHEN d.collection <> '' THEN d.collection || '/' END,
                      CASE WHEN d.revision <> '' THEN '#' || d.revision || '#/' END, d.name) AS relative_path,
               v.size_bytes AS file_size, v.md5, v.sha256, c.proved_at, c.order_proof
        FROM registry.copies c
        JOIN registry.datasets d ON d.id = c.dataset_id
        JOIN registry.repositories r ON r.id = c.repository_id
        JOIN registry.versions v ON v.dataset_id = c.dataset_id AND v.generation = c.generation
        WHERE d.deleted_at IS NULL AND c.state <> 'retired'""",
}
