"""Formatting of values on pages. An unknown value is a dash, never a zero or an empty cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from cingulum.sizes import format_size

UNKNOWN: Final = "–"


def day(text: str | None) -> str:
    """The date of a time as Alyx writes it.

    >>> day("2020-08-21T09:30:00"), day(None)
    ('2020-08-21', '–')
    """
    return text[:10] if text else UNKNOWN


def moment(text: str | None) -> str:
    """Day and minute of a time; the zone is kept.

    >>> moment("2020-08-21T09:30:12.25"), moment("2026-01-02T03:04:05.6Z")
    ('2020-08-21 09:30', '2026-01-02 03:04 UTC')
    """
    if not text:
        return UNKNOWN
    zone = " UTC" if text.endswith(("Z", "+00:00")) else ""
    return f"{text[:10]} {text[11:16]}".rstrip() + zone


def size(n_bytes: int | None) -> str:
    """A number of bytes with a decimal unit.

    >>> size(999), size(83_000_000_000), size(None)
    ('999 B', '83.0 GB', '–')
    """
    return UNKNOWN if n_bytes is None else format_size(n_bytes)


def number(value: float | None, digits: int = 1, unit: str = "") -> str:
    """A number with its unit.

    >>> number(24.3456, 1, "g"), number(None, 1, "g")
    ('24.3 g', '–')
    """
    return UNKNOWN if value is None else f"{value:.{digits}f} {unit}".rstrip()


def text(value: object) -> str:
    """A text or an integer; a dash if missing.

    >>> text(""), text(7), text("F")
    ('–', '7', 'F')
    """
    return UNKNOWN if value is None or value == "" else str(value)


def comma_list(values: list[Any] | None) -> str:
    """Names separated by commas.

    >>> comma_list(["a", "b"]), comma_list([])
    ('a, b', '–')
    """
    return ", ".join(map(str, values)) if values else UNKNOWN


def folder_number(value: int | None) -> str:
    """Session number as in the folder name.

    >>> folder_number(1)
    '001'
    """
    return f"{value or 0:03d}"


def twins(sessions: Iterable[Mapping[str, Any]]) -> set[str]:
    """Ids of the sessions that share lab, subject, day and number with another one of these.

    >>> first = {"id": "a", "lab": "l", "subject": "KS1", "start_time": "2024-03-02T10:00:00", "number": 1}
    >>> second, third = first | {"id": "b", "start_time": "2024-03-02T11:00:00"}, first | {"id": "c", "lab": "m"}
    >>> sorted(twins([first, second, third]))
    ['a', 'b']
    """
    groups: dict[tuple[Any, ...], set[str]] = {}
    for session in sessions:
        key = (session["lab"], session["subject"], session["start_time"][:10], session["number"])
        groups.setdefault(key, set()).add(session["id"])
    return {session_id for ids in groups.values() if len(ids) > 1 for session_id in ids}


def age(weeks: int | None) -> str:
    """An age in weeks.

    >>> age(12), age(1), age(None)
    ('12 weeks', '1 week', '–')
    """
    return UNKNOWN if weeks is None else f"{weeks} week{'' if weeks == 1 else 's'}"


def water_due(animal: Mapping[str, Any]) -> str:
    """Water still due today; "given" only if the amount due is known.

    >>> water_due({"expected_water": 1.0, "remaining_water": 0.4})
    '0.40 mL of 1.00 mL due'
    >>> water_due({"expected_water": 1.0, "remaining_water": -0.1})
    'all 1.00 mL given'
    >>> water_due({"expected_water": None, "remaining_water": None})
    'unknown until weighed'
    """
    due, missing = animal["expected_water"], animal["remaining_water"]
    if due is None or missing is None:
        return "unknown until weighed"
    if missing > 0.005:
        return f"{missing:.2f} mL of {due:.2f} mL due"
    return f"all {due:.2f} mL given"


def genotype(alleles: list[Mapping[str, Any]]) -> str:
    """Alleles with their zygosity.

    >>> genotype([{"allele": "Cre", "zygosity": 1}]), genotype([])
    ('Cre +/-', '–')
    """
    signs = ("-/-", "+/-", "+/+", "+")
    return comma_list([f"{allele['allele']} {signs[allele['zygosity']]}" for allele in alleles])


def job_name(job: Mapping[str, Any]) -> str:
    """A job in one line.

    >>> job_name({"task": "compress", "probe": "probe00"}), job_name({"task": "trial_summary", "probe": ""})
    ('compress probe00', 'trial summary')
    """
    return f"{job['task']} {job['probe']}".strip().replace("_", " ")


def counts(numbers: Mapping[str, int]) -> str:
    """Numbers by kind in words.

    >>> counts({"dataset": 2, "field-of-view": 2, "task": 1}), counts({})
    ('2 datasets, 2 fields of view and 1 task', 'nothing')
    """
    parts = []
    for kind, n in numbers.items():
        head, of, rest = kind.replace("-", " ").partition(" of ")
        parts.append(f"{n} {head}{'' if n == 1 else 's'}{of}{rest}")
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]])) or "nothing"


def percent(fraction: float | None) -> str:
    """A fraction in percent.

    >>> percent(0.8471), percent(None)
    ('85 %', '–')
    """
    return UNKNOWN if fraction is None else f"{100 * fraction:.0f} %"


def minutes(seconds: float | None) -> str:
    """A duration.

    >>> minutes(3725.0), minutes(None)
    ('62 min', '–')
    """
    return UNKNOWN if seconds is None else f"{seconds / 60:.0f} min"


def own_address(dataset: Mapping[str, Any], origin: str) -> str:
    """Path of a dataset on this server; empty if it has no copy here.

    >>> copy = {"exists": True, "data_url": "http://a/data/x.npy"}
    >>> own_address({"file_records": [copy]}, "http://a"), own_address({"file_records": [copy]}, "http://b")
    ('/data/x.npy', '')
    """
    places = (copy["data_url"] or "" for copy in dataset["file_records"] if copy["exists"])
    address = next((place for place in places if place.startswith(f"{origin}/data/")), "")
    return quote(address.removeprefix(origin), safe="/%") if address else ""


FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "twins": twins,
    "counts": counts,
    "day": day,
    "moment": moment,
    "size": size,
    "number": number,
    "text": text,
    "comma_list": comma_list,
    "folder_number": folder_number,
    "age": age,
    "percent": percent,
    "minutes": minutes,
    "own_address": own_address,
    "job_name": job_name,
    "genotype": genotype,
    "water_due": water_due,
}
