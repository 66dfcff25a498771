"""What a load file may hold, as data: each section's fields, natural key and routes, and how a server's row reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

Record = Mapping[str, Any]


class Names(Protocol):
    """What relations are called: Alyx's contract shows some of them by their id."""

    def of(self, path: str, field: str) -> dict[str, str]:
        """Id (or nickname) → name, of every row of a list; `field` is what holds the name."""


Reading = Callable[[Record, Names], dict[str, Any]]


_ZYGOSITIES = ("-/-", "+/-", "+/+", "+")


def _as_it_is(record: Record, _names: Names) -> dict[str, Any]:
    return dict(record)


def _subject(record: Record, _names: Names) -> dict[str, Any]:
    # A list tells a genotype in words, as Alyx does: "DemoCre +/-".
    told = (each.rpartition(" ") for each in record["genotype"])
    zygosities = [{"allele": allele, "zygosity": _ZYGOSITIES.index(symbol)} for allele, _, symbol in told]
    return {**record, "zygosities": zygosities}


def _surgery(record: Record, names: Names) -> dict[str, Any]:
    """Its lab and place are shown by ids that no list explains: they are not compared."""
    people, procedures = names.of("/users", "username"), names.of("/procedures", "name")
    return {name: value for name, value in record.items() if name not in {"lab", "location"}} | {
        "users": [people.get(each, each) for each in record["users"]],
        "procedures": [procedures.get(each, each) for each in record["procedures"]],
    }


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One section of a load file.

    key      the fields that name a row: the same key means the same row
    asked    query parameter → field of the row: lists that are too long to read whole are asked by it
    at       which field of the server's row stands in the address of a change
    change   how a row is changed: its own address, the list's address again, or not at all
    read     the server's row as the file would write it; what it leaves out is not compared
    """

    section: str
    path: str
    key: tuple[str, ...]
    fields: tuple[str, ...]
    asked: Mapping[str, str] | None = None
    at: str = "name"
    change: Literal["patch", "post", None] = "patch"
    read: Reading = _as_it_is


def _word(section: str, path: str) -> Kind:
    return Kind(
        section=section, path=path, key=("name",), fields=("name", "nickname", "description"), change=None
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
    _word("species", "/species"),
    _word("strains", "/strains"),
    _word("sources", "/sources"),
    _word("alleles", "/alleles"),
    _word("procedures", "/procedures"),
    _word("water_types", "/water-type"),
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
        at="nickname",
        asked={"nickname": "nickname"},
        fields=(
            "nickname", "lab", "responsible_user", "sex", "birth_date", "death_date", "species", "strain", "line",
            "litter", "source", "projects", "description", "zygosities", "json",
        ),
        read=_subject,
    ),
    Kind(
        section="surgeries",
        path="/surgeries",
        key=("subject", "start_time"),
        at="id",
        asked={"subject": "subject"},
        fields=(
            "subject", "lab", "location", "users", "procedures", "narrative", "start_time", "end_time",
            "outcome_type", "implant_weight", "json",
        ),
        read=_surgery,
    ),
    Kind(
        section="weighings",
        path="/weighings",
        key=("subject", "date_time"),
        asked={"nickname": "subject"},
        fields=("subject", "date_time", "weight", "user"),
        change=None,
    ),
    Kind(
        section="water_restrictions",
        path="/water-restriction",
        key=("subject", "start_time"),
        at="id",
        asked={"subject": "subject"},
        fields=("subject", "lab", "start_time", "end_time", "reference_weight", "water_type", "users", "narrative"),
    ),
    Kind(
        section="water_administrations",
        path="/water-administrations",
        key=("subject", "date_time"),
        at="id",
        asked={"nickname": "subject"},
        fields=("subject", "date_time", "water_administered", "water_type", "user", "adlib"),
    ),
)  # fmt: skip
KINDS: Final[Mapping[str, Kind]] = {kind.section: kind for kind in _ALL}
"""Section → kind, in the order in which rows can be loaded: what is named comes before what names it."""

DELEGATES: Final = Kind(
    section="allowed_users", path="/users", key=("username",), at="username", fields=("allowed_users",)
)
"""People name each other, so this is set once all of them are there."""

LAB_REPOSITORIES: Final = Kind(
    section="repositories of labs", path="/labs", key=("name",), fields=("repositories",)
)
"""A lab's repositories: the server keeps them with the lab, the file with the repository."""


def plain(field: str, value: Any) -> Any:
    """A value in the form in which two of them compare: times without zone in UTC, lists without order.

    >>> plain("start_time", "2020-03-01 10:00:00") == plain("start_time", "2020-03-01T10:00:00")
    True
    >>> plain("users", ["b", "a"]), plain("address", "") == plain("address", None)
    (['a', 'b'], True)
    """
    if field.endswith("time") and isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    if field in {"json", "store"}:
        return value
    if isinstance(value, list):
        return sorted(value, key=str) or None
    return None if value == "" else value
