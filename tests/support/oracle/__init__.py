"""A second, slow reading of `django=`: plain Python over all rows, which shares no code with `libs/common/filters`."""
