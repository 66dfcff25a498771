"""Settings of metadata."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import ServiceSettings, TokenSettings


class Settings(TokenSettings, ServiceSettings):
    """Where the database is, and who the first administrator of an empty system is."""

    database_url: SecretStr = Field(validation_alias="CINGULUM_METADATA_DATABASE_URL")
    admin_username: str | None = Field(default=None, description="made if the system has no user yet")
    admin_password: SecretStr | None = None
    password_threads: int = Field(default=2, ge=1, le=8, description="passwords that are hashed at a time")
    password_queue: int = Field(
        default=32, ge=0, description="more that may wait; beyond that the answer is 429"
    )
    browser_session_idle_s: float = Field(
        default=12 * 3600.0, gt=0, description="a browser that asks for nothing for so long is signed out"
    )
    browser_session_longest_s: float = Field(
        default=14 * 86400.0,
        gt=0,
        description="a browser is signed out after so long, however much it is used",
    )
    second_factor: bool = Field(
        default=False,
        description="people may add an authenticator app, and then sign in with its codes as well",
    )
    second_factor_issuer: str = Field(default="Cingulum", description="how the app calls this installation")
    oidc_issuer: str | None = Field(
        default=None,
        description="address of an OpenID Connect provider; null: people sign in by password only",
    )
    oidc_name: str = Field(default="your institution", description="how the log-in page calls the provider")
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="null: a public client, by PKCE alone"
    )
    oidc_redirect_url: str = Field(
        default="", description="as the provider knows it: https://<host>/app/login/oidc/callback"
    )
    oidc_scopes: str = "openid email"
