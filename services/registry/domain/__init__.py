"""The rules of versions and copies.

`copies` (states and proof), `alyx_calls` (what each call of Alyx does), `publication` (whether a job's outputs count).
"""
