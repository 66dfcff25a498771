"""Jobs, leases, workers: owns the schema `scheduler`."""
