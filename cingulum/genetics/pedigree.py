"""Who descends from whom: ancestors, generations, inbreeding, back-crosses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final

import numpy as np


class CircularPedigree(ValueError):
    """An animal is its own ancestor: names the circle."""


@dataclass(frozen=True, slots=True)
class Parents:
    """The father and the possible mothers of an animal (two in a trio); None or empty is unknown."""

    father: str | None = None
    mothers: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """Every parent there is a name for."""
        return (*self.mothers,) if self.father is None else (self.father, *self.mothers)


UNKNOWN: Final = Parents()


class Pedigree:
    """The parents of each animal; animals named only as parents are founders. Raises CircularPedigree.

    >>> family = Pedigree({"c": Parents("a", ("b",)), "d": Parents("c", ("b",))})
    >>> family.founders(), family.generation("d"), sorted(family.ancestors("d"))
    (('a', 'b'), 2, ['a', 'b', 'c'])
    """

    def __init__(self, parents: Mapping[str, Parents]) -> None:
        self._parents = dict(parents)
        graph = {name: found.known for name, found in self._parents.items()}
        try:
            self._order = tuple(TopologicalSorter(graph).static_order())
        except CycleError as reason:
            raise CircularPedigree(f"an animal is its own ancestor: {' < '.join(reason.args[1])}") from reason

    @property
    def names(self) -> tuple[str, ...]:
        """Every animal, parents before their children."""
        return self._order

    def parents(self, name: str) -> Parents:
        """Its parents; unknown ones for a founder or a name never heard of."""
        return self._parents.get(name, UNKNOWN)

    def founders(self) -> tuple[str, ...]:
        """Animals without any known parent, in alphabetical order."""
        return tuple(sorted(name for name in self._order if not self.parents(name).known))

    def ancestors(self, name: str) -> frozenset[str]:
        """Everyone it may descend from, both possible mothers' sides included."""
        return self._reach(name, lambda one: self.parents(one).known)

    def descendants(self, name: str) -> frozenset[str]:
        """Everyone that may descend from it."""
        children: dict[str, list[str]] = {}
        for child in self._order:
            for parent in self.parents(child).known:
                children.setdefault(parent, []).append(child)
        return self._reach(name, lambda one: children.get(one, ()))

    def _reach(self, name: str, step: Callable[[str], Iterable[str]]) -> frozenset[str]:
        found: set[str] = set()
        waiting = list(step(name))
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += step(one)
        return frozenset(found)

    def generation(self, name: str) -> int:
        """Generations back to the most distant founder: 0 for a founder, else one more than its elder parent."""
        depth: dict[str, int] = {}
        wanted = self.ancestors(name) | {name}
        for one in self._order:
            if one in wanted:
                depth[one] = max((depth[parent] + 1 for parent in self.parents(one).known), default=0)
        return depth.get(name, 0)

    def inbreeding(self, name: str) -> float:
        """Wright's coefficient: the probability that both its copies of a gene descend from one of an ancestor.

        Unknown parents count as unrelated, so it is a lower bound; two possible mothers count half each.

        >>> family = {"s": Parents("a", ("b",)), "t": Parents("a", ("b",)), "u": Parents("s", ("t",))}
        >>> Pedigree(family).inbreeding("u")
        0.25
        """
        found = self.parents(name)
        if found.father is None or not found.mothers:
            return 0.0
        return sum(self.kinship(found.father, mother) for mother in found.mothers) / len(found.mothers)

    def kinship(self, one: str, other: str) -> float:
        """The probability that a gene drawn from each descends from the same copy: 0.5 with itself, 0.25 for siblings.

        Source: the tabular method (Emik and Terrill 1949), parents before children.

        >>> Pedigree({"s": Parents("a", ("b",)), "t": Parents("a", ("b",))}).kinship("s", "t")
        0.25
        """
        wanted = self.ancestors(one) | self.ancestors(other) | {one, other}
        members = [name for name in self._order if name in wanted] + sorted(wanted - set(self._order))
        row = {name: at for at, name in enumerate(members)}
        table = np.zeros((len(members), len(members)))
        for at, name in enumerate(members):
            found = self.parents(name)
            father = table[row[found.father]] if found.father else np.zeros(len(members))
            mothers = [table[row[mother]] for mother in found.mothers]
            mother = np.mean(mothers, axis=0) if mothers else np.zeros(len(members))
            table[at] = table[:, at] = (father + mother) / 2
            own = float(mother[row[found.father]]) if found.father else 0.0
            table[at, at] = (1 + own) / 2
        return float(table[row[one], row[other]])


@dataclass(frozen=True, slots=True)
class Crosses:
    """How often an animal's lineage was crossed to the recurrent inbred strain, and since then among itself.

    `backcrosses` is N (a donor's first cross to the strain gives N1), `filial` is F, the intercrosses since the last;
    `donor_fraction` the expected part of the genome not of the strain, away from the selected gene.
    """

    backcrosses: int
    filial: int
    donor_fraction: float

    @property
    def label(self) -> str:
        """As it is written behind a line's name.

        >>> Crosses(5, 2, 1 / 32).label
        'N5F2'
        """
        return f"N{self.backcrosses}" + (f"F{self.filial}" if self.filial else "")


def crosses(pedigree: Pedigree, inbred: Collection[str], donors: Iterable[str]) -> dict[str, Crosses | None]:
    """Back-cross count of every animal; None where a parent is unknown and so nothing can be said.

    `inbred` are animals of the recurrent strain itself, `donors` the founders that brought the allele. Two possible
    mothers: the smaller count, and the mean donor fraction.

    >>> family = Pedigree({"n1": Parents("d", ("b1",)), "n2": Parents("n1", ("b2",)), "i": Parents("n2", ("n2b",))})
    >>> found = crosses(family, {"b1", "b2"}, ["d"])
    >>> found["n2"], found["i"]
    (Crosses(backcrosses=2, filial=0, donor_fraction=0.25), None)
    """
    pure, brought = frozenset(inbred), frozenset(donors)
    found: dict[str, Crosses | None] = {}
    for name in pedigree.names:
        if name in pure or name in brought:
            found[name] = Crosses(0, 0, 0.0 if name in pure else 1.0)
        else:
            found[name] = _crossed(pedigree.parents(name), found)
    return found


def _crossed(parents: Parents, found: Mapping[str, Crosses | None]) -> Crosses | None:
    sire = found.get(parents.father) if parents.father else None
    dams = [found.get(mother) for mother in parents.mothers]
    if sire is None or not dams:
        return None
    pairs = [_child(sire, dam) for dam in dams if dam is not None]
    if len(pairs) < len(dams):
        return None
    least = min(pairs, key=lambda pair: (pair.backcrosses, pair.filial))
    return Crosses(least.backcrosses, least.filial, sum(pair.donor_fraction for pair in pairs) / len(pairs))


def _child(sire: Crosses, dam: Crosses) -> Crosses:
    donor = (sire.donor_fraction + dam.donor_fraction) / 2
    # An animal without donor genome is of the strain, also when it was bred here and not bought.
    crossed = [parent for parent in (sire, dam) if parent.donor_fraction > 0]
    if not crossed:
        return Crosses(0, 0, 0.0)
    if len(crossed) == 1:
        return Crosses(crossed[0].backcrosses + 1, 0, donor)
    return Crosses(min(sire.backcrosses, dam.backcrosses), min(sire.filial, dam.filial) + 1, donor)
