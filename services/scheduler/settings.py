"""Settings of scheduler."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

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
        description="write NWB files of every session; needs workers with the extra `nwb`",
    )
    nwb_voltage: Literal["copy", "link", "none"] = Field(
        default="copy",
        description="raw NWB files, with nwb_export: copy the voltage, link to it below nwb_address, or none",
    )
    nwb_address: str = Field(
        default="",
        description="where readers of linked NWB files get recordings, such as https://lab.example.org/data",
    )
    list_derived_tasks: bool = Field(
        default=True,
        description="/tasks also lists jobs of declared tasks; false where ibllib's Pipeline.run is used, which "
        "would import them",
    )

    @model_validator(mode="after")
    def _has_address(self) -> Self:
        if self.nwb_voltage == "link" and not self.nwb_address.startswith(("http://", "https://")):
            raise ValueError("CINGULUM_NWB_VOLTAGE=link needs CINGULUM_NWB_ADDRESS=https://…")
        return self
