"""The sections of a load file as data: fields, natural key, routes, and how a server's row maps to a file's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

Record = Mapping[str, Any]


class Names(Protocol):
    """Names of related rows: Alyx's contract represents some of them by id."""

    def of(self, path: str, field: str) -> dict[str, str]:
        """Id (or nickname) → name, of every row of a list; `field` contains the name."""


FromServer = Callable[[Record, Names], dict[str, Any]]


_ZYGOSITIES = ("-/-", "+/-", "+/+", "+")


def _unchanged(record: Record, _names: Names) -> dict[str, Any]:
    return dict(record)


def _subject(record: Record, _names: Names) -> dict[str, Any]:
    # Lists show a genotype as Alyx does: "DemoCre +/-".
    genotype = (text.rpartition(" ") for text in record["genotype"])
    zygosities = [{"allele": allele, "zygosity": _ZYGOSITIES.index(symbol)} for allele, _, symbol in genotype]
    return {**record, "zygosities": zygosities}


def _surgery(record: Record, names: Names) -> dict[str, Any]:
    """Its lab and location are ids that no list resolves, so they are not compared."""
    people, procedures = names.of("/users", "username"), names.of("/procedures", "name")
    return {name: value for name, value in record.items() if name not in {"lab", "location"}} | {
        "users": [people.get(each, each) for each in record["users"]],
        "procedures": [procedures.get(each, each) for each in record["procedures"]],
    }


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One section of a load file.

    key          the fields that identify a row
    within       a field that identifies a row too, where the file names it
    filters      query parameter → field of the row, for lists that are too long to fetch whole
    is_of_lab    `lab` in the file only says which subject of that nickname is meant: it is not sent
    options      query parameters of every request of the list
    at           the field of the server's row that is part of its address
    change       how a row is changed: at its own address, at the list's address, or not at all
    from_server  the server's row in the form of the file; fields that it omits are not compared
    """

    section: str
    path: str
    key: tuple[str, ...]
    fields: tuple[str, ...]
    within: str = ""
    filters: Mapping[str, str] | None = None
    is_of_lab: bool = False
    options: Mapping[str, str] | None = None
    at: str = "name"
    change: Literal["patch", "post", None] = "patch"
    from_server: FromServer = _unchanged


def _vocabulary(section: str, path: str) -> Kind:
    return Kind(
        section=section,
        path=path,
        key=("name",),
        fields=("name", "nickname", "description", "json"),
        change=None,
    )


_ALL: Final = (
    Kind(
        section="users",
        path="/users",
        key=("username",),
        at="username",
        fields=(
            "username", "password", "email", "is_staff", "is_superuser", "is_stock_manager", "is_public_user",
            "is_active", "allowed_users",
        ),
    ),
    Kind(
        section="labs",
        path="/labs",
        key=("name",),
        fields=(
            "name", "institution", "address", "timezone", "reference_weight_pct", "zscore_weight_pct", "json",
        ),
    ),
    Kind(
        section="lab_memberships",
        path="/memberships",
        key=("user", "lab", "start_date"),
        fields=("user", "lab", "role", "start_date", "end_date"),
        change="post",
    ),
    Kind(section="lab_locations", path="/locations", key=("name",), fields=("name", "lab", "json")),
    Kind(section="projects", path="/projects", key=("name",), fields=("name", "description", "users", "is_private")),
    Kind(
        section="data_repositories",
        path="/data-repository",
        key=("name",),
        fields=(
            "name", "data_url", "hostname", "globus_path", "globus_endpoint_id", "globus_is_personal",
            "repository_type", "timezone", "labs", "store", "json",
        ),
    ),
    Kind(
        section="data_formats",
        path="/data-formats",
        key=("name",),
        fields=(
            "name", "file_extension", "description", "matlab_loader_function", "python_loader_function", "json",
        ),
    ),
    Kind(
        section="dataset_types",
        path="/dataset-types",
        key=("name",),
        fields=("name", "filename_pattern", "description", "needs_review"),
    ),
    _vocabulary("species", "/species"),
    _vocabulary("strains", "/strains"),
    _vocabulary("sources", "/sources"),
    _vocabulary("alleles", "/alleles"),
    _vocabulary("procedures", "/procedures"),
    _vocabulary("water_types", "/water-type"),
    Kind(
        section="lines",
        path="/lines",
        key=("name",),
        fields=("name", "nickname", "alleles", "strain", "lab"),
        change=None,
    ),
    Kind(section="litters", path="/litters", key=("name",), fields=("name", "line", "birth_date"), change=None),
    Kind(
        section="subjects",
        path="/subjects",
        key=("nickname",),
        within="lab",
        at="id",
        filters={"nickname": "nickname"},
        fields=(
            "nickname", "lab", "responsible_user", "sex", "birth_date", "death_date", "species", "strain", "line",
            "litter", "source", "projects", "description", "zygosities", "json",
        ),
        from_server=_subject,
    ),
    Kind(
        section="surgeries",
        path="/surgeries",
        key=("subject", "start_time"),
        at="id",
        filters={"subject": "subject"},
        fields=(
            "subject", "lab", "location", "users", "procedures", "narrative", "start_time", "end_time",
            "outcome_type", "implant_weight", "json",
        ),
        from_server=_surgery,
    ),
    Kind(
        section="weighings",
        path="/weighings",
        key=("subject", "date_time"),
        filters={"nickname": "subject"},
        is_of_lab=True,
        fields=("subject", "lab", "date_time", "weight", "user"),
        change=None,
    ),
    Kind(
        section="water_restrictions",
        path="/water-restriction",
        key=("subject", "start_time"),
        at="id",
        filters={"subject": "subject"},
        options={"ids": "true"},
        fields=("subject", "lab", "start_time", "end_time", "reference_weight", "water_type", "users", "narrative"),
    ),
    Kind(
        section="water_administrations",
        path="/water-administrations",
        key=("subject", "date_time"),
        at="id",
        filters={"nickname": "subject"},
        is_of_lab=True,
        fields=("subject", "lab", "date_time", "water_administered", "water_type", "user", "adlib"),
    ),
)  # fmt: skip
KINDS: Final[Mapping[str, Kind]] = {kind.section: kind for kind in _ALL}
"""Section → kind, in the order in which rows can be loaded: a row comes after the rows that it names."""

DELEGATES: Final = Kind(
    section="allowed_users", path="/users", key=("username",), at="username", fields=("allowed_users",)
)
"""Users refer to each other, so this is set once all of them exist."""

LAB_REPOSITORIES: Final = Kind(
    section="repositories of labs", path="/labs", key=("name",), fields=("repositories",)
)
"""A lab's repositories: the server stores them with the lab, the file names them with the repository."""


def plain(field: str, value: Any) -> Any:
    """A value for comparison: times in UTC without zone, lists sorted, empty values as None.

    >>> plain("start_time", "2020-03-01 10:00:00") == plain("start_time", "2020-03-01T10:00:00")
    True
    >>> plain("users", ["b", "a"]), plain("address", "") == plain("address", None)
    (['a', 'b'], True)
    >>> plain("filename_pattern", "*Lick.Times*.npy")
    '*lick.times*.npy'
    """
    if field.endswith("time") and isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    if field in {"json", "store"}:
        return value
    if field == "filename_pattern" and isinstance(value, str):
        value = value.strip().lower()  # as the server stores it
    if isinstance(value, list):
        return sorted(value, key=str) or None
    return None if value == "" else value
