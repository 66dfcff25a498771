"""Facets: by which values the sessions of a search could be narrowed. Ours, not Alyx's."""

from __future__ import annotations

from pydantic import Field

from libs.common.schemas.base import Schema


class FacetValue(Schema):
    """A value of a facet, and how many of the sessions have it."""

    value: str = Field(description="of the parameter of `/sessions`", examples=["2024-01-01,2024-12-31"])
    label: str = Field(description="for people", examples=["2024"])
    count: int


class Facet(Schema):
    """The most frequent values of a facet."""

    name: str
    parameter: str = Field(description="of `/sessions`, which narrows a search to a value")
    n_values: int = Field(description="how many there are in all")
    values: list[FacetValue]


class Facets(Schema):
    """How many sessions a search has, and their facets."""

    count: int
    facets: list[Facet]
