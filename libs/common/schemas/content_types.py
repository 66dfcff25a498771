"""The names of Alyx's models, by which notes and aggregate datasets say what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_MODELS: Final = {
    "actions": (
        "session", "surgery", "waterrestriction", "weighing", "wateradministration", "watertype", "proceduretype",
    ),
    "subjects": ("subject", "project", "species", "strain", "source", "allele", "line", "litter"),
    "misc": ("lab", "lablocation", "labmember", "labmembership", "note"),
    "experiments": (
        "probeinsertion", "chronicinsertion", "trajectoryestimate", "channel", "probemodel", "coordinatesystem",
        "fov", "fovlocation", "imagingstack", "imagingtype",
    ),
    "data": (
        "dataset", "filerecord", "datasettype", "dataformat", "datarepository", "datarepositorytype", "tag",
        "revision", "datanotice", "download",
    ),
    "jobs": ("task",),
}  # fmt: skip

APP_OF: Final[Mapping[str, str]] = MappingProxyType(
    {model: app for app, models in _MODELS.items() for model in models}
)
"""Model → app, of the models that both Alyx and this system have."""


def find_model(text: str) -> str | None:
    """The model in what clients send, `model` or `app.model`; None for one that does not exist.

    >>> find_model("session"), find_model("actions.Session"), find_model("subjects.session")
    ('session', 'session', None)
    """
    app, _, model = text.strip().lower().rpartition(".")
    known = APP_OF.get(model)
    return model if known is not None and app in {"", known} else None


def full_name(model: str) -> str:
    """A model as Alyx shows it.

    >>> full_name("session")
    'actions.session'
    """
    return f"{APP_OF[model]}.{model}"
