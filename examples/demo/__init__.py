"""`make demo`: the whole system on this machine, and one real session's life through it."""
