"""`make demo`: the whole system on this machine, with real sessions from registration to figures."""
