"""One origin for everybody; owns no table."""
