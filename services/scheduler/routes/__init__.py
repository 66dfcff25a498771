"""The doors of scheduler."""

from services.scheduler.routes import jobs, tasks

routers = [tasks.router, jobs.router]
