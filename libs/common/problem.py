"""Problems: error responses in the format that Alyx's clients read.

An answer is `{"detail": text, "status_code": n, "type": slug}`, or `{field: [texts], …}` where fields are to blame.
The slug is documented and stable; the text is for people and names the next step.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

REQUIRED: Final = ["This field is required."]
NOT_NULL: Final = ["This field may not be null."]
NOT_BLANK: Final = ["This field may not be blank."]


class Problem(Exception):
    """A refusal that the caller can understand and act on. Subclasses name it by `slug` and `status`."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "bad-request"
    detail: ClassVar[str] = "The request cannot be carried out."
    may_pass: ClassVar[bool] = False  # the same may succeed later, though the status does not say so

    def __init__(
        self,
        detail: str | None = None,
        *,
        fields: dict[str, list[str]] | None = None,
        extra: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.text = detail or self.detail
        self.fields = fields or {}
        self.extra = extra or {}
        self.headers = headers or {}
        super().__init__(self.text)

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer.

        >>> NotFound("No subject is called 'KS022'.").body()
        {'detail': "No subject is called 'KS022'.", 'status_code': 404, 'type': 'not-found'}

        A blamed field whose name is taken by the answer itself is named in `detail`.
        >>> BadRequest(fields={"type": ["Not a text."]}).body()
        {'type': 'bad-request', 'detail': 'type: Not a text.', 'status_code': 400}
        """
        about: dict[str, Any] = dict(self.fields) if self.fields else {"detail": self.text}
        taken = [f"{name}: {' '.join(about[name])}" for name in ("status_code", "type") if name in about]
        if taken:
            about["detail"] = "; ".join(taken)
        return about | {"status_code": self.status, "type": self.slug} | self.extra


class BadRequest(Problem):
    """Something in the request is invalid; `fields` names it."""


class UnknownReference(BadRequest):
    """A field of the request names an object that does not exist or is not visible to the caller.

    >>> UnknownReference("subject", "KS022", key="nickname").fields
    {'subject': ['Object with nickname=KS022 does not exist.']}
    """

    def __init__(self, field: str, value: object, *, key: str = "name") -> None:
        super().__init__(fields={field: [f"Object with {key}={value} does not exist."]})


class NotAuthenticated(Problem):
    """403 and not 401: the clients in use log in again only after a 403."""

    status = 403
    slug = "not-authenticated"
    detail = "Authentication credentials were not provided."


class InvalidToken(Problem):
    """The token is unknown, revoked or expired. Clients look for exactly this text to log in again."""

    status = 403
    slug = "invalid-token"
    detail = "Invalid token."


class Forbidden(Problem):
    """The caller can see the object, but may not do this to it."""

    status = 403
    slug = "forbidden"
    detail = "You do not have permission to perform this action."


class NotFound(Problem):
    """The object does not exist or is not visible to the caller."""

    status = 404
    slug = "not-found"
    detail = "Not found."


class Conflict(Problem):
    """The object's state is not what the request assumes."""

    status = 409
    slug = "conflict"
    detail = "The request conflicts with the current state."


class AmbiguousName(Conflict):
    """A name that several visible objects have; the body lists them with their ids, each of which names one.

    >>> AmbiguousName("subjects", "KS1", [{"id": "1"}, {"id": "2"}], field="subject").fields
    {'subject': ["'KS1' is the name of 2 subjects: name one by its id."]}
    """

    slug = "ambiguous-name"
    detail = "Several objects have this name: use an id."

    def __init__(
        self, segment: str, name: str, objects: list[dict[str, Any]], *, field: str | None = None
    ) -> None:
        text = f"'{name}' is the name of {len(objects)} {segment}: name one by its id."
        super().__init__(text, fields={field: [text]} if field else None, extra={segment: objects})
        self.segment = segment

    def at(self, base_url: str) -> AmbiguousName:
        """The same, with the URL of each object."""
        for item in self.extra[self.segment]:
            item["url"] = f"{base_url}/{self.segment}/{item['id']}"
        return self


class KeyReused(Conflict):
    """An Idempotency-Key was reused for a different request."""

    slug = "idempotency-key-reused"
    detail = "This Idempotency-Key was used for a different request: generate a new one."


class ShownOnce(Conflict):
    """The request was already carried out under this Idempotency-Key; its response had a secret and is not stored."""

    slug = "shown-once"
    detail = (
        "Already done; the secret was shown once and is not stored: revoke that token and create another."
    )


class LateToken(Conflict):
    """The attempt of a worker is over: drop it, its uploads will be swept."""

    slug = "late-token"
    detail = "This token is no longer valid for the job: the attempt is over, do not repeat it."


class TooManyRequests(Problem):
    """The caller has exceeded the rate limit."""

    status = 429
    slug = "too-many-requests"
    detail = "Request was throttled."


class Unavailable(Problem):
    """A required part of the system does not respond; the same request may succeed later."""

    status = 503
    slug = "unavailable"
    detail = "A required part of the system does not respond: try again shortly."


class Internal(Problem):
    """An unexpected error, which is logged under the request's id."""

    status = 500
    slug = "internal"
    detail = "An unexpected error occurred; it is logged under this request's id."


class BodyTooLarge(Problem):
    """The body is longer than the limit of its route."""

    status = 413
    slug = "body-too-large"
    detail = "The body is too large."


class NoFileExpected(Problem):
    """A multipart body for a route that accepts no file."""

    status = 415
    slug = "unsupported-media-type"
    detail = "This path does not accept multipart/form-data: send JSON, or a form as application/x-www-form-urlencoded."


class QueryTooLong(Unavailable):
    """A search took too long and was cancelled."""

    slug = "query-too-long"
    detail = "The query exceeded its time limit: use fewer conditions or a smaller page."


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route: which problems it may answer with."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        text = f"`{kind.slug}`: {kind.detail}"
        before = responses.get(kind.status)
        responses[kind.status] = {"description": f"{before['description']}; {text}" if before else text}
    return responses
