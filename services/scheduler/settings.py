"""Settings of scheduler."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from cingulum.worker.pipelines.standard import DEFAULT_PRESET
from libs.common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the database, the sweeps and the compression of raw recordings."""

    database_url: SecretStr = Field(
        validation_alias="CINGULUM_SCHEDULER_DATABASE_URL",
        description="database URL (postgresql://…) of this service's role",
    )
    lease_sweep_s: float = Field(default=5.0, description="interval between checks for expired leases")
    publishing_sweep_s: float = Field(
        default=30.0,
        description="interval between checks for jobs whose publication registry has not confirmed",
    )
    graph_sweep_s: float = Field(
        default=60.0,
        description="interval between checks for sessions with changed inputs and jobs that are out of date",
    )
    compress_preset: Literal["compatible-fast", "compatible-small", "small", "fast"] = Field(
        default=DEFAULT_PRESET,
        description="preset for raw recordings: compatible-fast or compatible-small (.cbin), small or fast (.cgl)",
    )
    nwb_export: bool = Field(
        default=False,
        description="write an NWB file of every session with processed data; needs workers with the extra `nwb`",
    )
    list_derived_tasks: bool = Field(
        default=True,
        description="/tasks also lists jobs of declared tasks; false where ibllib's Pipeline.run is used, which "
        "would import them",
    )
