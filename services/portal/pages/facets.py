"""Links that narrow a list of sessions to a value, with the count of sessions behind each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.portal.pages.lists import ListQuery

TITLES: Final = {
    "lab": "Lab",
    "subject": "Subject",
    "project": "Project",
    "task_protocol": "Protocol",
    "dataset_type": "Dataset type",
    "brain_region": "Brain region",
    "qc": "QC",
    "year": "Year",
}
_OWN_NAMES: Final = {"projects": "project"}
MOST: Final = 8


@dataclass(frozen=True)
class Link:
    """One value of a facet."""

    label: str
    title: str
    count: int
    address: str


@dataclass(frozen=True)
class FacetLinks:
    """The values of a facet; `all_address` removes its filter if there is one, `n_more` are not shown."""

    title: str
    links: list[Link]
    n_more: int
    all_address: str | None


def facet_links(query: ListQuery, answer: Mapping[str, Any] | None) -> list[FacetLinks]:
    """Facets by which something can be narrowed, or is."""
    return list(_facets(query, answer["facets"])) if answer else []


def _facets(query: ListQuery, facets: list[dict[str, Any]]) -> Iterator[FacetLinks]:
    for facet in facets:
        names = _names(facet["parameter"])
        is_set = any(name in query.filters for name in names)
        if not is_set and facet["n_values"] < 2:
            continue
        links = [_link(query, names, value) for value in facet["values"]]
        removed = query.changed(dict.fromkeys(names, "")) if is_set else None
        yield FacetLinks(TITLES[facet["name"]], links, facet["n_values"] - len(links), removed)


def _names(parameter: str) -> tuple[str, ...]:
    return ("from", "to") if parameter == "date_range" else (_OWN_NAMES.get(parameter, parameter),)


def _link(query: ListQuery, names: tuple[str, ...], value: Mapping[str, Any]) -> Link:
    values = value["value"].split(",") if len(names) > 1 else [value["value"]]
    is_region = names == ("atlas_acronym",)
    return Link(
        value["value"] if is_region else value["label"],
        value["label"] if is_region else "",
        value["count"],
        query.changed(dict(zip(names, values, strict=True))),
    )
