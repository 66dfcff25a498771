"""The rules of jobs: transitions, deadlines, retries, and which jobs a session has.

`facts` (job, attempt, change), `running` (claim to completion), `steering` (people, Alyx's `/tasks`, the job graph),
`graph` (declared inputs and outputs → jobs), `sites` (where a job can run), `retry` (deadlines). All pure: time, tokens
and facts are arguments.
"""
