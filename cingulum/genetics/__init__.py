"""Alleles, zygosity, pedigree and names of mouse lines; pure functions."""

from cingulum.genetics.alleles import AlleleEntry, allele_table
from cingulum.genetics.names import LineCounters
from cingulum.genetics.pedigree import CircularPedigree, Crosses, Parents, Pedigree, crosses
from cingulum.genetics.zygosity import (
    Policy,
    Zygosity,
    ZygosityCall,
    ZygosityRule,
    consensus,
    offspring,
    zygosity_from_parents,
    zygosity_from_tests,
)

__all__ = [
    "AlleleEntry",
    "CircularPedigree",
    "Crosses",
    "LineCounters",
    "Parents",
    "Pedigree",
    "Policy",
    "Zygosity",
    "ZygosityCall",
    "ZygosityRule",
    "allele_table",
    "consensus",
    "crosses",
    "offspring",
    "zygosity_from_parents",
    "zygosity_from_tests",
]
