"""The routers of scheduler."""

from services.scheduler.routes import attempts, claims, jobs, tasks, workers

routers = [tasks.router, jobs.router, workers.router, claims.router, attempts.router]
