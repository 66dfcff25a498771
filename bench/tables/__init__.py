"""The ONE client's tables of a loaded system."""
