"""Settings of metadata."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Where the database is, and who the first administrator of an empty system is."""

    database_url: SecretStr = Field(validation_alias="CINGULUM_METADATA_DATABASE_URL")
    admin_username: str | None = Field(default=None, description="made if the system has no user yet")
    admin_password: SecretStr | None = None
