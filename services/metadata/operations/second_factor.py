"""Adding an authenticator app, checking its codes, taking it away."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.fernet import InvalidToken

from libs.common.db import Begin, Transaction
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict, NotFound
from services.metadata import domain
from services.metadata.domain import second_factor as rules
from services.metadata.models import RecoveryCodeRow, SecondFactorRow, UserRow
from services.metadata.operations.browser_sessions import check_whole
from services.metadata.operations.encryption import fernet
from services.metadata.operations.identity import raise_generation
from services.metadata.operations.sign_in import BadCredentials, SignIns
from services.metadata.queries import identity as people
from services.metadata.queries import second_factor as queries
from services.metadata.queries import sign_in
from services.metadata.settings import Settings

CHALLENGE_S: Final = 300
SECRET_BYTES: Final = 20
RECOVERY_BYTES: Final = 16  # so many that a keyed hash may keep them: nobody guesses 128 bits
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
            fields={"code": ["This code is not right, or was used before: wait for the next one."]}
        )


@dataclass(frozen=True)
class NewSecondFactor:
    """What an authenticator app needs; it is shown this once."""

    secret: str
    uri: str


def challenge_of(sign_ins: SignIns, user: UserRow) -> str:
    """What proves for five minutes that somebody knew this person's password; a new password ends it."""
    claims = {"user": str(user.id), "generation": user.token_generation}
    return fernet(sign_ins.secret, CHALLENGES).encrypt(json.dumps(claims).encode()).decode()


async def answer_challenge(
    tx: Transaction, sign_ins: SignIns, challenge: str, code: str, address: str
) -> UserRow:
    """The person who has both password and code. Raises BadCredentials, BadCode, SignInLater."""
    try:
        text = fernet(sign_ins.secret, CHALLENGES).decrypt(challenge.encode(), ttl=CHALLENGE_S)
    except (InvalidToken, UnicodeEncodeError):
        raise BadCredentials from None
    claims = json.loads(text)
    user = await people.lock_user(tx.session, UUID(claims["user"]))
    if user is None or not user.is_active or user.token_generation != claims["generation"]:
        raise BadCredentials
    attempt = await sign_ins.begin(user.username, address)
    if not await use_code(tx, sign_ins, user.id, code):
        await attempt.failed("code")
        raise BadCode
    await attempt.succeeded()
    return user


async def use_code(tx: Transaction, sign_ins: SignIns, user_id: UUID, code: str) -> bool:
    """Whether a code of the app or a recovery code is right; it is used up then."""
    row = await queries.of(tx.session, user_id, lock=True)
    if row is None or row.confirmed_at is None:
        return False
    now = await sign_in.clock(tx.session)
    step = rules.accepted_step(_secret_of(row, sign_ins), code, now.timestamp(), row.last_step)
    if step is not None:
        row.last_step = step
        return True
    hashed = _recovery_hash(sign_ins, user_id, code)
    if await queries.use_recovery_code(tx.session, user_id, hashed, now):
        tx.audit("second-factor.recovery-code-used", "user", user_id)
        return True
    return False


def _secret_of(row: SecondFactorRow, sign_ins: SignIns) -> bytes:
    return fernet(sign_ins.secret, SECRETS).decrypt(row.secret.encode())


def _recovery_hash(sign_ins: SignIns, user_id: UUID, code: str) -> str:
    return domain.token_hash(sign_ins.secret, f"recovery:{user_id}:{rules.plain_recovery_code(code)}")


async def start(
    begin: Begin, settings: Settings, sign_ins: SignIns, by: Principal, password: str, address: str
) -> NewSecondFactor:
    """Begin to add an app: its secret, which counts once a code of it confirms it. Raises BadRequest, Conflict."""
    check_whole(by)
    if not settings.second_factor:
        raise Conflict("Second factors are switched off here: see CINGULUM_SECOND_FACTOR.")
    await _check_password(sign_ins, by, password, address)
    secret = secrets.token_bytes(SECRET_BYTES)
    encrypted = fernet(sign_ins.secret, SECRETS).encrypt(secret).decode()
    async with begin() as tx:
        if await queries.is_on(tx.session, by.user_id):
            raise Conflict("You have an authenticator app already: take it away first.")
        await queries.forget(tx.session, by.user_id)
        tx.session.add(SecondFactorRow(user_id=by.user_id, secret=encrypted))
    uri = rules.otpauth_uri(secret, by.username, settings.second_factor_issuer)
    return NewSecondFactor(rules.secret_text(secret), uri)


async def confirm(tx: Transaction, sign_ins: SignIns, by: Principal, code: str) -> list[str]:
    """A first code shows that the app works; from now on signing in asks for one. The recovery codes, shown once."""
    check_whole(by)
    row = await queries.of(tx.session, by.user_id, lock=True)
    if row is None or row.confirmed_at is not None:
        raise Conflict("There is no authenticator app to confirm: add one first.")
    now = await sign_in.clock(tx.session)
    step = rules.accepted_step(_secret_of(row, sign_ins), code, now.timestamp(), row.last_step)
    if step is None:
        raise BadCode
    row.confirmed_at, row.last_step = now, step
    codes = [rules.recovery_code(secrets.token_bytes(RECOVERY_BYTES)) for _ in range(rules.N_RECOVERY_CODES)]
    for one in codes:
        hashed = _recovery_hash(sign_ins, by.user_id, one)
        tx.session.add(RecoveryCodeRow(user_id=by.user_id, code_hash=hashed))
    tx.audit("second-factor.added", "user", by.user_id)
    await raise_generation(tx, await tx.session.get_one(UserRow, by.user_id))  # a password alone made it
    return codes


async def remove(
    begin: Begin, sign_ins: SignIns, by: Principal, password: str, code: str, address: str
) -> None:
    """Take one's own app away, with password and code. Raises BadRequest, BadCode, NotFound."""
    check_whole(by)
    await _check_password(sign_ins, by, password, address)
    async with begin() as tx:
        if not await queries.is_on(tx.session, by.user_id):
            raise NotFound("You have no authenticator app.")
        attempt = await sign_ins.begin(by.username, address)
        if not await use_code(tx, sign_ins, by.user_id, code):
            await attempt.failed("code")
            raise BadCode
        await attempt.succeeded()
        await queries.forget(tx.session, by.user_id)
        tx.audit("second-factor.removed", "user", by.user_id)


async def remove_of(tx: Transaction, username: str) -> None:
    """Take somebody's app away, as an administrator does for who lost phone and codes. Raises NotFound."""
    user = await people.user_named(tx.session, username)
    if user is None or not await queries.forget(tx.session, user.id):
        raise NotFound(f"'{username}' has no authenticator app.")
    tx.audit("second-factor.removed", "user", user.id)


async def _check_password(sign_ins: SignIns, by: Principal, password: str, address: str) -> None:
    try:
        await sign_ins.check(by.username, password, address)
    except BadCredentials:
        raise BadRequest(fields={"password": ["This is not your password."]}) from None
