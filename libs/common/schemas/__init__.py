"""Schemas of requests, responses and events: base class, ids, pages, times and shared states."""

from libs.common.schemas.base import BodyRecord, BodySchema, Record, Schema
from libs.common.schemas.pages import Page, PageRequest, absolute, page

__all__ = ["BodyRecord", "BodySchema", "Page", "PageRequest", "Record", "Schema", "absolute", "page"]
