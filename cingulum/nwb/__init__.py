"""Sessions as NWB files.

`plan` and the modules that fill it, and `preflight`, need no pynwb and do no I/O; `folder` reads a session's folder,
`writer` writes a plan with pynwb (`pip install 'cingulum[nwb]'`).
"""
