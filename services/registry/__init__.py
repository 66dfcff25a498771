"""Datasets, versions, copies, repositories: owns the schema `registry`."""
