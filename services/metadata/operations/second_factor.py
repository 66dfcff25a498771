"""A user's authenticator app: add, check its codes, remove."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.fernet import InvalidToken

from libs.common.db import Begin, Transaction
from libs.common.db.clock import fetch_now
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict, NotFound
from services.metadata.domain import second_factor as rules
from services.metadata.domain.tokens import token_hash
from services.metadata.domain.users import Account, check_owns_sign_in
from services.metadata.models import SecondFactorRow, UserRow
from services.metadata.operations.encryption import fernet
from services.metadata.operations.sign_in import BadCredentials, SignIns
from services.metadata.operations.tokens import revoke_login_tokens
from services.metadata.queries import second_factor as queries
from services.metadata.queries import users
from services.metadata.settings import Settings

CHALLENGE_S: Final = 300
SECRET_BYTES: Final = 20
RECOVERY_BYTES: Final = 16  # a keyed hash may store them: 128 bits cannot be guessed
CHALLENGES: Final = "second-factor challenges"
SECRETS: Final = "second-factor secrets"


class SecondFactorNeeded(BadRequest):
    """The password is right, and a code of the authenticator app must follow, with `challenge`."""

    slug = "second-factor-needed"
    detail = "Enter the code of your authenticator app, or one of your recovery codes."


class BadCode(BadRequest):
    """The code is wrong, was used before, or is too old."""

    slug = "bad-code"

    def __init__(self) -> None:
        super().__init__(
            fields={"code": ["This code is incorrect or was used before: wait for the next one."]}
        )


@dataclass(frozen=True)
class NewSecondFactor:
    """The secret and address for an authenticator app, shown once."""

    secret: str
    uri: str


def challenge_of(sign_ins: SignIns, account: Account) -> str:
    """Proves for five minutes that the caller knew the user's password; a new password invalidates it."""
    claims = {"user": str(account.id), "generation": account.token_generation}
    return fernet(sign_ins.secret, CHALLENGES).encrypt(json.dumps(claims).encode()).decode()


async def answer_challenge(
    tx: Transaction, sign_ins: SignIns, challenge: str, code: str, address: str
) -> UserRow:
    """The user with both password and code, locked. Raises BadCredentials, BadCode, SignInLater."""
    try:
        text = fernet(sign_ins.secret, CHALLENGES).decrypt(challenge.encode(), ttl=CHALLENGE_S)
    except (InvalidToken, UnicodeEncodeError):
        raise BadCredentials from None
    claims = json.loads(text)
    user = await users.find_and_lock_user(tx.session, UUID(claims["user"]))
    if user is None or not user.is_active or user.token_generation != claims["generation"]:
        raise BadCredentials
    await _check_code(tx, sign_ins, user.id, user.username, code, address)
    return user


async def _check_code(
    tx: Transaction, sign_ins: SignIns, user_id: UUID, username: str, code: str, address: str
) -> None:
    attempt = await sign_ins.begin(username, address)
    if not await use_code(tx, sign_ins, user_id, code):
        await attempt.failed("code")
        raise BadCode
    await attempt.succeeded()


async def use_code(tx: Transaction, sign_ins: SignIns, user_id: UUID, code: str) -> bool:
    """Whether a code of the app or a recovery code is right; it is not accepted again."""
    factor = await queries.find_and_lock_second_factor(tx.session, user_id)
    if factor is None or factor.confirmed_at is None:
        return False
    now = await fetch_now(tx.session)
    step = rules.accepted_step(_secret_of(factor, sign_ins), code, now.timestamp(), factor.last_step)
    if step is not None:
        factor.last_step = step
        return True
    hashed = _recovery_hash(sign_ins, user_id, code)
    if await queries.update_recovery_code_used(tx.session, user_id, hashed, now):
        tx.audit("second-factor.recovery-code-used", "user", user_id)
        return True
    return False


def _secret_of(factor: SecondFactorRow, sign_ins: SignIns) -> bytes:
    return fernet(sign_ins.secret, SECRETS).decrypt(factor.secret.encode())


def _recovery_hash(sign_ins: SignIns, user_id: UUID, code: str) -> str:
    return token_hash(sign_ins.secret, f"recovery:{user_id}:{rules.plain_recovery_code(code)}")


async def start_second_factor(
    begin: Begin, settings: Settings, sign_ins: SignIns, by: Principal, password: str, address: str
) -> NewSecondFactor:
    """Add an app that has no effect until a first code confirms it. Raises BadRequest, Conflict, Forbidden."""
    check_owns_sign_in(by)
    if not settings.second_factor:
        raise Conflict("Second factors are disabled: see CINGULUM_SECOND_FACTOR.")
    await _check_password(sign_ins, by, password, address)
    secret = secrets.token_bytes(SECRET_BYTES)
    encrypted = fernet(sign_ins.secret, SECRETS).encrypt(secret).decode()
    async with begin() as tx:
        if await queries.exists_confirmed_second_factor(tx.session, by.user_id):
            raise Conflict("You already have an authenticator app: remove it first.")
        await queries.delete_second_factor(tx.session, by.user_id)
        await queries.insert_second_factor(tx.session, by.user_id, encrypted)
    uri = rules.otpauth_uri(secret, by.username, settings.second_factor_issuer)
    return NewSecondFactor(rules.secret_text(secret), uri)


async def confirm_second_factor(tx: Transaction, sign_ins: SignIns, by: Principal, code: str) -> list[str]:
    """Confirm the app by a first code, so that signing in needs a code; returns the recovery codes, shown once."""
    check_owns_sign_in(by)
    factor = await queries.find_and_lock_second_factor(tx.session, by.user_id)
    if factor is None or factor.confirmed_at is not None:
        raise Conflict("There is no authenticator app to confirm: add one first.")
    now = await fetch_now(tx.session)
    step = rules.accepted_step(_secret_of(factor, sign_ins), code, now.timestamp(), factor.last_step)
    if step is None:
        raise BadCode
    factor.confirmed_at, factor.last_step = now, step
    codes = [rules.recovery_code(secrets.token_bytes(RECOVERY_BYTES)) for _ in range(rules.N_RECOVERY_CODES)]
    hashes = [_recovery_hash(sign_ins, by.user_id, recovery_code) for recovery_code in codes]
    await queries.insert_recovery_codes(tx.session, by.user_id, hashes)
    tx.audit("second-factor.added", "user", by.user_id)
    if user := await users.find_and_lock_user(tx.session, by.user_id):
        await revoke_login_tokens(tx, user)  # it was issued for a password alone
    return codes


async def remove_second_factor(
    begin: Begin, sign_ins: SignIns, by: Principal, password: str, code: str, address: str
) -> None:
    """Remove the caller's own authenticator app; needs password and code.

    Raises BadRequest, BadCode, NotFound, Forbidden."""
    check_owns_sign_in(by)
    await _check_password(sign_ins, by, password, address)
    async with begin() as tx:
        if not await queries.exists_confirmed_second_factor(tx.session, by.user_id):
            raise NotFound("You have no authenticator app.")
        await _check_code(tx, sign_ins, by.user_id, by.username, code, address)
        await queries.delete_second_factor(tx.session, by.user_id)
        tx.audit("second-factor.removed", "user", by.user_id)


async def remove_second_factor_of(tx: Transaction, username: str) -> None:
    """Remove a user's app, as an administrator, after the loss of phone and recovery codes. Raises NotFound."""
    account = await users.find_account(tx.session, username)
    if account is None or not await queries.delete_second_factor(tx.session, account.id):
        raise NotFound(f"'{username}' has no authenticator app.")
    tx.audit("second-factor.removed", "user", account.id)


async def _check_password(sign_ins: SignIns, by: Principal, password: str, address: str) -> None:
    try:
        await sign_ins.check(by.username, password, address)
    except BadCredentials:
        raise BadRequest(fields={"password": ["The password is incorrect."]}) from None
