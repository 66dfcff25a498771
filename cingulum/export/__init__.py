"""Exports: a zip of a ONE tree, with tables, manifest, RO-Crate metadata and a README, that opens without a server.

`layout` knows every byte but the checksums before a file is read, so a download can resume.
"""
