"""Uploads sessions from a folder or a zip: created if missing, registered, and sent to the central store."""

from cingulum.upload.archive import BadArchive, Limits
from cingulum.upload.reports import FileReport, Outcome, Summary
from cingulum.upload.sources import FolderSource, UploadSource, ZipSource
from cingulum.upload.uploader import Uploader

__all__ = [
    "BadArchive",
    "FileReport",
    "FolderSource",
    "Limits",
    "Outcome",
    "Summary",
    "UploadSource",
    "Uploader",
    "ZipSource",
]
