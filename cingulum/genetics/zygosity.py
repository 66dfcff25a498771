"""Zygosity of one allele: from probe tests and from the parents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final, Literal

Policy = Literal["alyx", "cingulum"]


class Zygosity(StrEnum):
    """Zygosity of an allele: `-/-`, `+/-`, `+/+`, or `+` if it is present in unknown dose.

    >>> Zygosity("+/-").name, Zygosity("+/-").alyx_code
    ('HETEROZYGOUS', 1)
    """

    ABSENT = "-/-"
    HETEROZYGOUS = "+/-"
    HOMOZYGOUS = "+/+"
    PRESENT = "+"

    @property
    def alyx_code(self) -> int:
        """The number Alyx stores: 0, 1, 2, 3 in the order above."""
        return list(Zygosity).index(self)

    @property
    def genotypes(self) -> frozenset[Zygosity]:
        """The exact genotypes it stands for: two for `+`, otherwise itself."""
        return _DOSES if self is Zygosity.PRESENT else frozenset((self,))


_DOSES: Final = frozenset((Zygosity.HETEROZYGOUS, Zygosity.HOMOZYGOUS))
ANY_GENOTYPE: Final = frozenset((Zygosity.ABSENT, Zygosity.HETEROZYGOUS, Zygosity.HOMOZYGOUS))


@dataclass(frozen=True, slots=True)
class ZygosityRule:
    """The allele is `zygosity` if probe A gives `result_a` (0 absent, 1 present) and probe B, if any, `result_b`.

    Raises ValueError for other results, and for a probe without a result or the reverse.
    """

    probe_a: str
    result_a: int
    zygosity: Zygosity
    probe_b: str | None = None
    result_b: int | None = None

    def __post_init__(self) -> None:
        if self.result_a not in (0, 1) or self.result_b not in (None, 0, 1):
            raise ValueError("the result of a probe is 0 (absent) or 1 (present)")
        if (self.probe_b is None) != (self.result_b is None):
            raise ValueError("a second probe needs a result, and its result a probe")

    @property
    def probes(self) -> tuple[str, ...]:
        """Its probes, in order."""
        return (self.probe_a,) if self.probe_b is None else (self.probe_a, self.probe_b)

    def met_by(self, tests: Mapping[str, int]) -> bool:
        """Whether probe A agrees, and probe B agrees or was not tested, as in Alyx."""
        agrees_b = self.probe_b is None or tests.get(self.probe_b, self.result_b) == self.result_b
        return tests.get(self.probe_a) == self.result_a and agrees_b


@dataclass(frozen=True, slots=True)
class ZygosityCall:
    """An animal's zygosity as far as it is known, with the reason.

    `zygosity` is None if it cannot be called; if it is `provisional`, missing tests may change it; `possible` are the
    exact genotypes that are not ruled out; `unread` are the probes that would decide.
    """

    zygosity: Zygosity | None
    possible: frozenset[Zygosity]
    unread: tuple[str, ...]
    reason: str
    provisional: bool

    @property
    def settled(self) -> Zygosity | None:
        """The zygosity if it is final, else None; use it for breeding decisions."""
        return None if self.provisional else self.zygosity

    @property
    def surely_carries(self) -> bool:
        """Whether every possible genotype has the allele."""
        return bool(self.possible) and Zygosity.ABSENT not in self.possible


def zygosity_from_tests(
    rules: Sequence[ZygosityRule], tests: Mapping[str, int], policy: Policy = "cingulum"
) -> ZygosityCall:
    """Zygosity from probe results (1 present, 0 absent; untested probes are left out), by the first rule that is met.

    Both policies give the same zygosity. Under `cingulum` it is provisional while a probe of that rule is
    untested, or while another test could make an earlier rule apply; under `alyx` it is final.

    >>> het, hom = Zygosity("+/-"), Zygosity("+/+")
    >>> rules = [ZygosityRule("Cre", 1, het, "WT", 1), ZygosityRule("Cre", 1, hom, "WT", 0)]
    >>> call = zygosity_from_tests(rules, {"Cre": 1})
    >>> str(call.zygosity), call.provisional, call.unread
    ('+/-', True, ('WT',))
    """
    met = next((rule for rule in rules if rule.met_by(tests)), None)
    if policy == "alyx":
        zygosity = None if met is None else met.zygosity
        exact = frozenset() if zygosity is None else zygosity.genotypes
        return ZygosityCall(zygosity, exact, (), _because(met, ()), provisional=False)
    possible, unread = _completions(rules, tests)
    if met is None:
        reason = (
            f"no rule matches yet; probes without a result: {', '.join(unread)}"
            if unread
            else "no rule of the line matches these tests"
        )
        return ZygosityCall(None, possible, unread, reason, provisional=bool(unread))
    untested = tuple(probe for probe in met.probes if probe not in tests)
    open_question = bool(untested) or possible != met.zygosity.genotypes
    missing = untested or (unread if open_question else ())
    return ZygosityCall(met.zygosity, possible, missing, _because(met, missing), provisional=open_question)


def _because(met: ZygosityRule | None, unread: tuple[str, ...]) -> str:
    if met is None:
        return "no rule of the line matches these tests"
    conditions = f"{met.probe_a} {'present' if met.result_a else 'absent'}"
    if met.probe_b is not None and met.probe_b not in unread:
        conditions += f", {met.probe_b} {'present' if met.result_b else 'absent'}"
    waiting = f", provisional until the result of {' and '.join(unread)} is known" if unread else ""
    return f"{conditions}: {met.zygosity}{waiting}"


def _completions(
    rules: Sequence[ZygosityRule], tests: Mapping[str, int]
) -> tuple[frozenset[Zygosity], tuple[str, ...]]:
    """The genotypes that are possible by any results of the untested probes, and those probes.

    A probe is assigned when a rule uses it, and dropped once no later rule does, which avoids 2**n states.
    """
    unread = tuple(dict.fromkeys(probe for rule in rules for probe in rule.probes if probe not in tests))
    possible: set[Zygosity] = set()
    states = {frozenset(tests.items())}
    for at, rule in enumerate(rules):
        later = {probe for following in rules[at + 1 :] for probe in following.probes}
        passed = set()
        for state in states:
            for known in _readings(dict(state), rule.probes):
                if rule.met_by(known):
                    possible |= rule.zygosity.genotypes
                else:
                    passed.add(frozenset(item for item in known.items() if item[0] in later))
        states = passed
    return frozenset(possible), unread


def _readings(known: dict[str, int], probes: Iterable[str]) -> list[dict[str, int]]:
    """All possible results of the probes, the known ones fixed."""
    unread = [probe for probe in probes if probe not in known]
    return [
        known | dict(zip(unread, results, strict=True)) for results in product((0, 1), repeat=len(unread))
    ]


_GAMETES: Final = {
    Zygosity.HOMOZYGOUS: frozenset("+"),
    Zygosity.HETEROZYGOUS: frozenset("+-"),
    Zygosity.ABSENT: frozenset("-"),
}


def zygosity_from_parents(
    mothers: Zygosity | Sequence[Zygosity | None] | None, father: Zygosity | None, policy: Policy = "cingulum"
) -> ZygosityCall:
    """Zygosity of a child from its parents; None is an unknown parent, of two mothers (a trio) either is possible.

    `zygosity` is None if only a test can determine it. Alyx takes mother 1 alone and an unknown parent for `-/-`;
    `cingulum` then returns unknown, with the remaining possibilities.

    >>> call = zygosity_from_parents(Zygosity("+/+"), Zygosity("+/-"))
    >>> str(call.zygosity), sorted(map(str, call.possible))
    ('+', ['+/+', '+/-'])
    >>> zygosity_from_parents([Zygosity("+/+"), Zygosity("-/-")], Zygosity("-/-")).zygosity is None
    True
    """
    dams: tuple[Zygosity | None, ...] = (
        (mothers,) if mothers is None or isinstance(mothers, Zygosity) else tuple(mothers)
    )
    if policy == "alyx":
        first = dams[0] if dams else None
        possible = _children(first or Zygosity.ABSENT, father or Zygosity.ABSENT)
        return _inherited(possible, first, father, unknown=False)
    possible = frozenset().union(*(_children(dam, father) for dam in dams or (None,)))
    return _inherited(
        possible,
        " or ".join(map(_shown, dams)) or None,
        father,
        unknown=father is None or None in dams or not dams,
    )


def _shown(parent: str | None) -> str:
    return "unknown" if parent is None else str(parent)


def _children(mother: Zygosity | None, father: Zygosity | None) -> frozenset[Zygosity]:
    """Exact genotypes of the children of two parents; an unknown parent may pass on either gamete."""
    return offspring(
        mother.genotypes if mother else ANY_GENOTYPE, father.genotypes if father else ANY_GENOTYPE
    )


def offspring(mother: Iterable[Zygosity], father: Iterable[Zygosity]) -> frozenset[Zygosity]:
    """Exact genotypes of the children of parents with these possible genotypes.

    >>> [str(child) for child in offspring([Zygosity("+/+")], ANY_GENOTYPE) if child is not Zygosity("+/+")]
    ['+/-']
    """
    eggs, sperm = (
        frozenset().union(*(_GAMETES[zygosity] for zygosity in parent)) for parent in (mother, father)
    )
    by_dose = (Zygosity.ABSENT, Zygosity.HETEROZYGOUS, Zygosity.HOMOZYGOUS)
    return frozenset(by_dose["".join(pair).count("+")] for pair in product(eggs, sperm))


def _inherited(
    possible: frozenset[Zygosity], mother: str | None, father: Zygosity | None, *, unknown: bool
) -> ZygosityCall:
    parents = f"mother {_shown(mother)}, father {_shown(father)}"
    options = " or ".join(sorted(possible))
    if unknown:
        return ZygosityCall(None, possible, (), f"{parents}: unknown, {options} possible", provisional=True)
    agreed = consensus(possible)
    if agreed is None:
        return ZygosityCall(
            None, possible, (), f"{parents}: {options}, only a test can determine it", provisional=True
        )
    return ZygosityCall(agreed, possible, (), f"{parents}: {agreed}", provisional=False)


def consensus(possible: Iterable[Zygosity]) -> Zygosity | None:
    """The symbol that covers all these exact genotypes: `+` for either dose, None if the allele may be absent.

    >>> str(consensus([Zygosity("+/+"), Zygosity("+/-")])), consensus([Zygosity("-/-"), Zygosity("+/-")])
    ('+', None)
    """
    options = frozenset(possible)
    if len(options) == 1:
        return next(iter(options))
    return Zygosity.PRESENT if options == _DOSES else None
