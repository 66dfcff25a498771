"""Moving bytes, uploads, bundles: owns the schema `transfer`."""
