"""The alleles of each animal of a line, from tests and parents together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cingulum.genetics.pedigree import Pedigree
from cingulum.genetics.zygosity import (
    ANY_GENOTYPE,
    Zygosity,
    ZygosityRule,
    consensus,
    offspring,
    zygosity_from_tests,
)

Tests = Mapping[str, Mapping[str, int]]
"""For each animal, results of its probes: 1 present, 0 absent; a probe without a result is omitted."""


@dataclass(frozen=True, slots=True)
class AlleleEntry:
    """What is known about one allele of one animal.

    `zygosity` is None while the allele may be present or absent; `possible` are the remaining exact genotypes.
    `conflict`: the tests contradict the parents, so a test, a sample or a parent is wrong; the tests are used.
    `provisional`: a missing test may change it.
    """

    zygosity: Zygosity | None
    possible: frozenset[Zygosity]
    source: Literal["tests", "parents", "tests and parents", "nothing"]
    provisional: bool
    conflict: bool
    reason: str


def allele_table(
    animals: Iterable[str],
    alleles: Mapping[str, Sequence[ZygosityRule]],
    tests: Tests,
    pedigree: Pedigree | None = None,
) -> dict[str, dict[str, AlleleEntry]]:
    """The entry of each animal and each allele of the line (with its rules), from its tests and its ancestors' tests.

    Genotypes that tests leave possible are narrowed by the parents, and the reverse.

    >>> from cingulum.genetics.pedigree import Parents
    >>> rules = [ZygosityRule("Cre", 1, Zygosity("+")), ZygosityRule("Cre", 0, Zygosity("-/-"))]
    >>> family = Pedigree({"pup": Parents("sire", ("dam",))})
    >>> table = allele_table(["pup"], {"PV-Cre": rules}, {"dam": {"Cre": 0}, "pup": {"Cre": 1}}, family)
    >>> str(table["pup"]["PV-Cre"].zygosity), table["pup"]["PV-Cre"].source
    ('+/-', 'tests and parents')
    """
    family = pedigree or Pedigree({})
    requested = list(dict.fromkeys(animals))
    known = set(family.names)
    table: dict[str, dict[str, AlleleEntry]] = {name: {} for name in requested}
    for allele, rules in alleles.items():
        entries: dict[str, AlleleEntry] = {}
        for name in (*family.names, *(animal for animal in requested if animal not in known)):
            entries[name] = _entry(name, rules, tests.get(name, {}), family, entries)
        for name in requested:
            table[name][allele] = entries[name]
    return table


def _entry(
    name: str,
    rules: Sequence[ZygosityRule],
    tests: Mapping[str, int],
    family: Pedigree,
    entries: Mapping[str, AlleleEntry],
) -> AlleleEntry:
    called = zygosity_from_tests(rules, tests)
    tested = called.possible if called.zygosity is not None else ANY_GENOTYPE
    parents = family.parents(name)
    father = entries[parents.father].possible if parents.father else ANY_GENOTYPE
    dams = [entries[mother].possible for mother in parents.mothers] or [ANY_GENOTYPE]
    inherited = frozenset().union(*(offspring(dam, father) for dam in dams))
    both = tested & inherited
    conflict = not both
    possible = tested if conflict else both
    from_tests, from_parents = tested != ANY_GENOTYPE, inherited != ANY_GENOTYPE
    reason = called.reason if from_tests else "not tested"
    if conflict:
        reason += f"; the parents can only give {_shown(inherited)}: check tests and parents"
    elif from_parents:
        reason += f"; the parents can give {_shown(inherited)}"
    return AlleleEntry(
        zygosity=consensus(possible),
        possible=possible,
        source=_source(tested=from_tests, inherited=from_parents and not conflict),
        provisional=len(possible) > 1 and called.provisional,
        conflict=conflict,
        reason=reason,
    )


def _source(*, tested: bool, inherited: bool) -> Literal["tests", "parents", "tests and parents", "nothing"]:
    if tested:
        return "tests and parents" if inherited else "tests"
    return "parents" if inherited else "nothing"


def _shown(genotypes: Iterable[Zygosity]) -> str:
    return " or ".join(sorted(genotypes))
