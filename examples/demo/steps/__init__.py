"""The six steps, one module each, in order."""
