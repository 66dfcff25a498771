"""Colony, lab notebook, people: owns the schema `metadata`."""
