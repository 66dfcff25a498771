"""Pedigrees: ancestors, generations, inbreeding coefficients, back-crosses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final

import numpy as np


class CircularPedigree(ValueError):
    """An animal is its own ancestor; the message lists the cycle."""


@dataclass(frozen=True, slots=True)
class Parents:
    """The father and the possible mothers of an animal (two in a trio); None or empty is unknown."""

    father: str | None = None
    mothers: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """The known parents."""
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
        graph = {name: parents.known for name, parents in self._parents.items()}
        try:
            self._order = tuple(TopologicalSorter(graph).static_order())
        except CycleError as reason:
            raise CircularPedigree(f"an animal is its own ancestor: {' < '.join(reason.args[1])}") from reason

    @property
    def names(self) -> tuple[str, ...]:
        """Every animal, parents before their children."""
        return self._order

    def parents(self, name: str) -> Parents:
        """Its parents; unknown for a founder or an animal that is not in the pedigree."""
        return self._parents.get(name, UNKNOWN)

    def founders(self) -> tuple[str, ...]:
        """Animals without any known parent, in alphabetical order."""
        return tuple(sorted(name for name in self._order if not self.parents(name).known))

    def ancestors(self, name: str) -> frozenset[str]:
        """Every animal it may descend from, through all possible mothers."""
        return self._reach(name, lambda animal: self.parents(animal).known)

    def descendants(self, name: str) -> frozenset[str]:
        """Every animal that may descend from it."""
        children: dict[str, list[str]] = {}
        for child in self._order:
            for parent in self.parents(child).known:
                children.setdefault(parent, []).append(child)
        return self._reach(name, lambda animal: children.get(animal, ()))

    def _reach(self, name: str, step: Callable[[str], Iterable[str]]) -> frozenset[str]:
        reached: set[str] = set()
        waiting = list(step(name))
        while waiting:
            animal = waiting.pop()
            if animal not in reached:
                reached.add(animal)
                waiting += step(animal)
        return frozenset(reached)

    def generation(self, name: str) -> int:
        """Generations back to the most distant founder: 0 for a founder, else one more than its elder parent."""
        depth: dict[str, int] = {}
        family = self.ancestors(name) | {name}
        for animal in self._order:
            if animal in family:
                depth[animal] = max((depth[parent] + 1 for parent in self.parents(animal).known), default=0)
        return depth.get(name, 0)

    def inbreeding(self, name: str) -> float:
        """Wright's inbreeding coefficient: the probability that its two copies of a gene descend from the same copy.

        Unknown parents count as unrelated, so it is a lower bound; two possible mothers count half each.

        >>> family = {"s": Parents("a", ("b",)), "t": Parents("a", ("b",)), "u": Parents("s", ("t",))}
        >>> Pedigree(family).inbreeding("u")
        0.25
        """
        parents = self.parents(name)
        if parents.father is None or not parents.mothers:
            return 0.0
        return sum(self.kinship(parents.father, mother) for mother in parents.mothers) / len(parents.mothers)

    def kinship(self, first: str, other: str) -> float:
        """The probability that a gene drawn from each descends from the same copy: 0.5 with itself, 0.25 for siblings.

        Source: the tabular method (Emik and Terrill 1949), parents before children.

        >>> Pedigree({"s": Parents("a", ("b",)), "t": Parents("a", ("b",))}).kinship("s", "t")
        0.25
        """
        family = self.ancestors(first) | self.ancestors(other) | {first, other}
        members = [name for name in self._order if name in family] + sorted(family - set(self._order))
        row = {name: at for at, name in enumerate(members)}
        table = np.zeros((len(members), len(members)))
        for at, name in enumerate(members):
            parents = self.parents(name)
            father = table[row[parents.father]] if parents.father else np.zeros(len(members))
            mothers = [table[row[mother]] for mother in parents.mothers]
            mother = np.mean(mothers, axis=0) if mothers else np.zeros(len(members))
            table[at] = table[:, at] = (father + mother) / 2
            own = float(mother[row[parents.father]]) if parents.father else 0.0
            table[at, at] = (1 + own) / 2
        return float(table[row[first], row[other]])


@dataclass(frozen=True, slots=True)
class Crosses:
    """Numbers of back-crosses of an animal's lineage to the recurrent inbred strain, and of intercrosses since.

    `backcrosses` is N (a donor's first cross to the strain gives N1), `filial` is F, the intercrosses since the last;
    `donor_fraction` is the expected part of the genome that is not of the strain, except near the selected gene.
    """

    backcrosses: int
    filial: int
    donor_fraction: float

    @property
    def label(self) -> str:
        """The suffix of a line's name.

        >>> Crosses(5, 2, 1 / 32).label
        'N5F2'
        """
        return f"N{self.backcrosses}" + (f"F{self.filial}" if self.filial else "")


def crosses(pedigree: Pedigree, inbred: Collection[str], donors: Iterable[str]) -> dict[str, Crosses | None]:
    """Crosses of every animal; None if a parent is unknown.

    `inbred` are animals of the recurrent strain itself, `donors` the founders that brought the allele. Two possible
    mothers: the smaller count, and the mean donor fraction.

    >>> family = Pedigree({"n1": Parents("d", ("b1",)), "n2": Parents("n1", ("b2",)), "i": Parents("n2", ("n2b",))})
    >>> crossed = crosses(family, {"b1", "b2"}, ["d"])
    >>> crossed["n2"], crossed["i"]
    (Crosses(backcrosses=2, filial=0, donor_fraction=0.25), None)
    """
    pure, brought = frozenset(inbred), frozenset(donors)
    crosses_by_name: dict[str, Crosses | None] = {}
    for name in pedigree.names:
        if name in pure or name in brought:
            crosses_by_name[name] = Crosses(0, 0, 0.0 if name in pure else 1.0)
        else:
            crosses_by_name[name] = _crossed(pedigree.parents(name), crosses_by_name)
    return crosses_by_name


def _crossed(parents: Parents, known: Mapping[str, Crosses | None]) -> Crosses | None:
    sire = known.get(parents.father) if parents.father else None
    dams = [known.get(mother) for mother in parents.mothers]
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
