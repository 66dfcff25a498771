"""What tests and parents say of one allele."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.genetics import Zygosity, ZygosityRule, zygosity_from_parents, zygosity_from_tests

HOM, HET, NONE, SOME = (Zygosity(symbol) for symbol in ("+/+", "+/-", "-/-", "+"))
TWO_PROBES = [
    ZygosityRule("Cre", 1, HET, "WT", 1),
    ZygosityRule("Cre", 1, HOM, "WT", 0),
    ZygosityRule("Cre", 0, NONE),
]
EXACT = [HOM, HET, NONE]
ANY = [HOM, HET, NONE, SOME, None]


def test_one_probe_of_two_gives_a_provisional_answer_that_names_the_other() -> None:
    called = zygosity_from_tests(TWO_PROBES, {"Cre": 1})
    assert (called.zygosity, called.provisional, called.settled) == (HET, True, None)
    assert called.possible == {HET, HOM}
    assert called.reason == "Cre present: +/-, provisional until the result of WT is known"


def test_both_probes_read_settle_it() -> None:
    called = zygosity_from_tests(TWO_PROBES, {"Cre": 1, "WT": 0})
    assert (called.settled, called.reason) == (HOM, "Cre present, WT absent: +/+")


def test_a_transgene_that_is_absent_needs_no_second_probe() -> None:
    assert zygosity_from_tests(TWO_PROBES, {"Cre": 0}).settled == NONE


def test_without_tests_nothing_is_called_and_all_are_listed() -> None:
    called = zygosity_from_tests(TWO_PROBES, {})
    assert (called.zygosity, called.unread, called.possible) == (None, ("Cre", "WT"), frozenset(EXACT))


def test_results_that_no_rule_foresees_are_not_provisional_but_unanswered() -> None:
    called = zygosity_from_tests(TWO_PROBES[:2], {"Cre": 0, "WT": 1})
    assert (called.zygosity, called.provisional) == (None, False)
    assert called.reason == "no rule of the line matches these tests"


def test_a_later_rule_is_provisional_while_an_earlier_one_could_still_apply() -> None:
    rules = [ZygosityRule("Flp", 1, HOM), ZygosityRule("Cre", 1, HET)]
    called = zygosity_from_tests(rules, {"Cre": 1})
    assert (called.zygosity, called.provisional, called.unread) == (HET, True, ("Flp",))


def test_alyx_calls_half_a_test_final() -> None:
    called = zygosity_from_tests(TWO_PROBES, {"Cre": 1}, "alyx")
    assert (called.zygosity, called.provisional) == (HET, False)


@pytest.mark.parametrize(
    ("mother", "father", "child"),
    [
        (HOM, HOM, HOM),
        (HOM, HET, SOME),
        (HOM, NONE, HET),
        (HOM, SOME, SOME),
        (HET, HET, None),
        (HET, NONE, None),
        (NONE, NONE, NONE),
        (SOME, SOME, None),
        (HOM, None, None),
        (None, None, None),
    ],
)
def test_a_child_gets_what_its_parents_can_give(
    mother: Zygosity | None, father: Zygosity | None, child: Zygosity | None
) -> None:
    assert zygosity_from_parents(mother, father).zygosity == child


def test_an_unknown_parent_leaves_open_what_it_may_give() -> None:
    called = zygosity_from_parents(HOM, None)
    assert called.possible == {HOM, HET}
    assert called.surely_carries
    assert called.reason == "mother +/+, father unknown: unknown, +/+ or +/- possible"


def test_both_possible_mothers_of_a_trio_count() -> None:
    assert zygosity_from_parents([HOM, NONE], HOM).zygosity == SOME
    assert zygosity_from_parents([HOM, HOM], HOM).zygosity == HOM
    assert zygosity_from_parents([HOM, NONE], NONE).possible == {HET, NONE}
    assert zygosity_from_parents([HOM, NONE], NONE, "alyx").zygosity == HET


def test_father_and_mother_may_be_exchanged() -> None:
    for first, other in product(ANY, ANY):
        assert zygosity_from_parents(first, other).possible == zygosity_from_parents(other, first).possible


probes = st.sampled_from("ABCDEFGH")
results = st.sampled_from([0, 1])
one_probe = st.builds(ZygosityRule, probes, results, st.sampled_from([HOM, HET, NONE, SOME]))
two_probes = st.builds(
    ZygosityRule, probes, results, st.sampled_from([HOM, HET, NONE, SOME]), probes, results
)
rule_lists = st.lists(one_probe | two_probes, max_size=12)


@settings(max_examples=100, deadline=None)
@given(rule_lists, st.dictionaries(probes, results), st.dictionaries(probes, results))
def test_a_settled_zygosity_stays_whatever_is_read_afterwards(
    rules: list[ZygosityRule], first: dict[str, int], more: dict[str, int]
) -> None:
    before, after = zygosity_from_tests(rules, first), zygosity_from_tests(rules, more | first)
    assert after.possible <= before.possible
    if before.settled is not None and before.settled is not SOME:
        assert after.zygosity == before.settled
    if after.zygosity is not None and not after.provisional:
        assert after.zygosity.genotypes <= before.possible


@pytest.mark.parametrize("wrong", [{"result_a": 2}, {"probe_b": "WT"}, {"result_b": 1}])
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    values: dict[str, object] = {"probe_a": "Cre", "result_a": 1, "zygosity": HET}
    with pytest.raises(ValueError, match="probe"):
        ZygosityRule(**{**values, **wrong})  # type: ignore[arg-type]
