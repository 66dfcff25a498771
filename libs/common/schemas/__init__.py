"""Shapes that cross a border: base class, ids, pages, times and shared states."""

from libs.common.schemas.base import Record, Schema
from libs.common.schemas.pages import Page, PageWanted, absolute, page

__all__ = ["Page", "PageWanted", "Record", "Schema", "absolute", "page"]
