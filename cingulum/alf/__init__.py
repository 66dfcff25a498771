"""ONE/ALF names: parsing, building, and explanations of invalid ones.

`cingulum.alf.folder` and `cingulum.alf.check` read files; import them as modules. The rest does no I/O.
"""

from cingulum.alf.dataset_types import DatasetType, DatasetTypes, essence, match_extension
from cingulum.alf.names import FileName, build_file_name, name_file, parse_file_name
from cingulum.alf.paths import (
    AlfPath,
    Folder,
    RelPath,
    SessionPath,
    build_folder,
    build_path,
    build_rel_path,
    build_session_path,
    find_session,
    folder_text,
    inner_path,
    labs_folder,
    parse_folder,
    parse_inside,
    parse_path,
    parse_rel_path,
    parse_session_path,
    path_below_subjects,
)
from cingulum.alf.patterns import is_file_name
from cingulum.alf.problems import (
    AlfError,
    AmbiguousDatasetType,
    InvalidName,
    NoDatasetType,
    RevisionNotFound,
    SeveralDefaults,
    UnknownFormat,
)
from cingulum.alf.registration import (
    RegisteredFile,
    check_plain_name,
    clean_path,
    parse_aggregate_file,
    parse_register_file,
    parse_register_path,
    registered_path,
)
from cingulum.alf.relative_paths import check_relative_path
from cingulum.alf.revisions import Choice, Known, Rule, choose_revision, free_revision, writable_revision
from cingulum.alf.server_names import add_uuid, dataset_url, remove_uuid, split_uuid

__all__ = [
    "AlfError",
    "AlfPath",
    "AmbiguousDatasetType",
    "Choice",
    "DatasetType",
    "DatasetTypes",
    "FileName",
    "Folder",
    "InvalidName",
    "Known",
    "NoDatasetType",
    "RegisteredFile",
    "RelPath",
    "RevisionNotFound",
    "Rule",
    "SessionPath",
    "SeveralDefaults",
    "UnknownFormat",
    "add_uuid",
    "build_file_name",
    "build_folder",
    "build_path",
    "build_rel_path",
    "build_session_path",
    "check_plain_name",
    "check_relative_path",
    "choose_revision",
    "clean_path",
    "dataset_url",
    "essence",
    "find_session",
    "folder_text",
    "free_revision",
    "inner_path",
    "is_file_name",
    "labs_folder",
    "match_extension",
    "name_file",
    "parse_aggregate_file",
    "parse_file_name",
    "parse_folder",
    "parse_inside",
    "parse_path",
    "parse_register_file",
    "parse_register_path",
    "parse_rel_path",
    "parse_session_path",
    "path_below_subjects",
    "registered_path",
    "remove_uuid",
    "split_uuid",
    "writable_revision",
]
