"""The field maps of Alyx's free filters (`django=`, `json=`, `extended_qc=`)."""
