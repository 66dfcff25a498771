"""The worker, which runs jobs, and the lab agent, which uploads a lab's files. Both use HTTPS only."""
