"""Settings of scheduler."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from cingulum.worker.pipelines.standard import DEFAULT_PRESET
from libs.common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Where the database is, and how often deadlines are checked."""

    database_url: SecretStr = Field(validation_alias="CINGULUM_SCHEDULER_DATABASE_URL")
    lease_sweep_s: float = 5.0
    publishing_sweep_s: float = 30.0
    graph_sweep_s: float = 60.0
    compress_preset: Literal["compatible-fast", "compatible-small", "small", "fast"] = Field(
        default=DEFAULT_PRESET,
        description="of the task that compresses raw recordings; the first two write .cbin, the others .cgl",
    )
