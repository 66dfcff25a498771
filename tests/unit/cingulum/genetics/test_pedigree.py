"""Families, back-crosses, allele tables and names of a line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.genetics import (
    CircularPedigree,
    LineCounters,
    Parents,
    Pedigree,
    Zygosity,
    ZygosityRule,
    allele_table,
    crosses,
)

CRE = [
    ZygosityRule("Cre", 1, Zygosity("+/-"), "WT", 1),
    ZygosityRule("Cre", 1, Zygosity("+/+"), "WT", 0),
    ZygosityRule("Cre", 0, Zygosity("-/-")),
]


def backcrossed(times: int) -> Pedigree:
    """A donor crossed again and again to animals of the strain."""
    family = {f"n{n}": Parents(f"n{n - 1}" if n > 1 else "donor", (f"b6_{n}",)) for n in range(1, times + 1)}
    family["f1"] = Parents(f"n{times}", (f"n{times}_sister",))
    family[f"n{times}_sister"] = family[f"n{times}"]
    return Pedigree(family)


def test_ten_backcrosses_leave_a_thousandth_of_the_donor() -> None:
    results = crosses(backcrossed(10), [f"b6_{n}" for n in range(1, 11)], ["donor"])
    tenth, intercross = results["n10"], results["f1"]
    assert tenth is not None
    assert intercross is not None
    assert (tenth.label, tenth.donor_fraction) == ("N10", 0.5**10)
    assert intercross.label == "N10F1"


def test_an_animal_bred_of_two_of_the_strain_is_of_the_strain() -> None:
    family = Pedigree(
        {"b3": Parents("b1", ("b2",)), "n1": Parents("d", ("b3",)), "n2": Parents("b3", ("n1",))}
    )
    result = crosses(family, ["b1", "b2"], ["d"])["n2"]
    assert result is not None
    assert result.backcrosses == 2


def test_the_count_is_unknown_where_a_parent_is() -> None:
    results = crosses(Pedigree({"n1": Parents("d"), "n2": Parents("n1", ("b",))}), ["b"], ["d"])
    assert (results["n1"], results["n2"]) == (None, None)


def test_of_two_possible_mothers_the_lesser_backcross_counts() -> None:
    family = {"n1": Parents("d", ("b",)), "n2": Parents("b", ("n1",)), "pup": Parents("b", ("n1", "n2"))}
    result = crosses(Pedigree(family), ["b"], ["d"])["pup"]
    assert result is not None
    assert (result.backcrosses, result.donor_fraction) == (2, (0.25 + 0.125) / 2)


def test_a_circle_is_refused_and_named() -> None:
    with pytest.raises(CircularPedigree, match="own ancestor"):
        Pedigree({"a": Parents("b"), "b": Parents("c"), "c": Parents("a")})


def test_a_family_knows_its_generations_and_members() -> None:
    family = Pedigree({"c": Parents("a", ("b",)), "d": Parents("c", ("b", "e"))})
    assert family.generation("d") == 2
    assert family.descendants("a") == {"c", "d"}
    assert family.ancestors("d") == {"a", "b", "c", "e"}
    assert family.generation("stranger") == 0


def test_cousins_children_are_inbred_by_a_sixteenth() -> None:
    siblings = {name: Parents("g", ("h",)) for name in ("s", "t")}
    family = siblings | {
        "c1": Parents("s", ("x",)),
        "c2": Parents("y", ("t",)),
        "pup": Parents("c1", ("c2",)),
    }
    assert Pedigree(family).inbreeding("pup") == 1 / 16


def test_two_possible_mothers_halve_what_each_contributes() -> None:
    family = {"s": Parents("g", ("h",)), "t": Parents("g", ("h",)), "pup": Parents("s", ("t", "stranger"))}
    assert Pedigree(family).inbreeding("pup") == 1 / 8


def test_a_deep_pedigree_needs_no_deep_stack() -> None:
    family = Pedigree({f"a{n + 1}": Parents(f"a{n}", ("b",)) for n in range(3000)})
    assert family.generation("a3000") == 3000


def test_parents_narrow_what_a_provisional_test_leaves_open() -> None:
    family = Pedigree({"pup": Parents("sire", ("dam",))})
    tests = {"dam": {"Cre": 0}, "pup": {"Cre": 1}}
    entry = allele_table(["pup"], {"PV-Cre": CRE}, tests, family)["pup"]["PV-Cre"]
    assert (entry.zygosity, entry.provisional, entry.source) == (Zygosity("+/-"), False, "tests and parents")


def test_an_untested_child_of_tested_parents_is_known_from_them() -> None:
    family = Pedigree({"pup": Parents("sire", ("dam",))})
    tests = {"dam": {"Cre": 1, "WT": 0}, "sire": {"Cre": 1, "WT": 0}}
    entry = allele_table(["pup"], {"PV-Cre": CRE}, tests, family)["pup"]["PV-Cre"]
    assert (entry.zygosity, entry.source) == (Zygosity("+/+"), "parents")


def test_a_test_that_the_parents_cannot_explain_is_a_conflict_and_stands() -> None:
    family = Pedigree({"pup": Parents("sire", ("dam",))})
    tests = {"dam": {"Cre": 0}, "sire": {"Cre": 0}, "pup": {"Cre": 1, "WT": 0}}
    entry = allele_table(["pup"], {"PV-Cre": CRE}, tests, family)["pup"]["PV-Cre"]
    assert (entry.zygosity, entry.conflict) == (Zygosity("+/+"), True)
    assert entry.reason.endswith("the parents can only give -/-: check tests and parents")


def test_an_animal_without_any_record_is_unknown() -> None:
    entry = allele_table(["stray"], {"PV-Cre": CRE}, {})["stray"]["PV-Cre"]
    assert (entry.zygosity, entry.source, len(entry.possible)) == (None, "nothing", 3)


def test_a_line_names_animals_pairs_and_litters_in_turn() -> None:
    counters, names = LineCounters("Ai32"), []
    for _ in range(2):
        name, counters = counters.next_subject()
        names.append(name)
    pair, counters = counters.next_pair()
    litter, counters = counters.next_litter()
    assert [*names, pair, litter] == ["Ai32_0001", "Ai32_0002", "Ai32_BP_001", "Ai32_L_001"]
    assert counters == LineCounters("Ai32", subjects=2, pairs=1, litters=1)


@pytest.mark.parametrize("name", ["", "Ai 32", "Ai/32"])
def test_a_line_whose_name_no_nickname_may_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        LineCounters(name)


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(1, 30)), st.integers(0, 40))
def test_a_name_is_never_assigned_twice(taken: set[int], count: int) -> None:
    used = {f"Ai32_{n:04d}" for n in taken}
    name, after = LineCounters("Ai32", subjects=count).next_subject(used)
    assert name not in used
    assert after.subjects > count
