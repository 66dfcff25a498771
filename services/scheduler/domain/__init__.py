"""The rules of jobs: what may follow what, who may be late, when to try again, which jobs there are.

`facts` (job, attempt, change), `running` (claim to completion), `steering` (people, Alyx's `/tasks`, the graph's wish),
`graph` (declared inputs and outputs → jobs), `retry` (deadlines). All pure: time, tokens and facts are arguments.
"""
