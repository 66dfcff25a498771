"""The worker: runs jobs and, in lab mode, brings a lab's files to the central store. HTTPS only."""
