"""Settings of metadata."""

from __future__ import annotations

from pydantic import Field, SecretStr

from libs.common.settings import StoreSettings, TokenSettings


class Settings(TokenSettings, StoreSettings):
    """Settings of the database, the store of pictures, the first administrator, sign-ins and the identity provider."""

    database_url: SecretStr = Field(
        validation_alias="CINGULUM_METADATA_DATABASE_URL",
        description="database URL (postgresql://…) of this service's role",
    )
    admin_username: str | None = Field(
        default=None, description="the first administrator, created if the system has no user"
    )
    admin_password: SecretStr | None = Field(
        default=None, description="password of the first administrator; read once, remove it afterwards"
    )
    picture_queue: int = Field(
        default=8, ge=0, description="pictures that wait to be decoded; beyond that, requests get 429"
    )
    picture_sweep_every_s: float = Field(
        default=3600.0, gt=0, description="interval between removals of pictures that no note has"
    )
    password_threads: int = Field(default=2, ge=1, le=8, description="passwords that are hashed concurrently")
    password_queue: int = Field(
        default=32, ge=0, description="passwords that wait to be hashed; beyond that, requests get 429"
    )
    browser_session_idle_s: float = Field(
        default=12 * 3600.0, gt=0, description="a browser is signed out after this time without a request"
    )
    browser_session_longest_s: float = Field(
        default=14 * 86400.0,
        gt=0,
        description="a browser is signed out after this time, even if it is used",
    )
    second_factor: bool = Field(
        default=False,
        description="users can add an authenticator app, whose codes they then need to sign in",
    )
    second_factor_issuer: str = Field(default="Cingulum", description="name of this installation in the app")
    oidc_issuer: str | None = Field(
        default=None,
        description="issuer URL of an OpenID Connect provider; null: users sign in by password only",
    )
    oidc_name: str = Field(default="your institution", description="name of the provider on the log-in page")
    oidc_client_id: str = Field(default="", description="client id, as issued by the provider")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="null: a public client, which uses PKCE only"
    )
    oidc_redirect_url: str = Field(
        default="", description="as registered at the provider: https://<host>/app/login/oidc/callback"
    )
    oidc_scopes: str = Field(default="openid email", description="scopes requested from the provider")
