"""Notices on datasets: their text as HTML, and who may write them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import nh3
from markdown_it import MarkdownIt

from libs.common.permissions import SHARED, Principal, Target, may_on
from libs.common.problem import BadRequest, Forbidden
from libs.common.scopes import Permission

_MOST_NAMED: Final = 100  # paths in a text
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table")
_TAGS: Final = frozenset({
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
})  # fmt: skip


def render_html(markdown: str) -> str:
    """Markdown as HTML for any page: HTML in it is text, and nothing in it loads, runs or styles anything.

    >>> render_html("**careful** <script>alert(1)</script>")
    '<p><strong>careful</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\\n'
    >>> render_html("[a](javascript:alert(1)) ![b](http://example.org/b.png)")
    '<p>[a](javascript:alert(1)) </p>\\n'
    """
    return nh3.clean(
        _MARKDOWN.render(markdown),
        tags=set(_TAGS),
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
    )


def notice_of_merge(paths: Sequence[str]) -> str:
    """The text of the notice on datasets that a merge of sessions left with a deleted session.

    >>> notice_of_merge(["alf/a.b.npy"]).partition(": ")[2]
    '`alf/a.b.npy`.'
    """
    listed = ", ".join(f"`{path}`" for path in paths[:_MOST_NAMED])
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return (
        "Sessions were merged into this one. These files were registered in both, and stay with the deleted one until "
        f"the merge is undone: {listed}{more}."
    )


def check_dates(start: date | None, end: date | None) -> None:
    """Raises BadRequest for affected dates that end before they start."""
    if start and end and end < start:
        raise BadRequest(fields={"affected_date_end": ["It is before affected_date_start."]})


def check_may_write(by: Principal, targets: Collection[Target]) -> None:
    """Raises Forbidden unless the caller may register files of every dataset that a notice is about.

    One that is about no dataset speaks to all labs, and is written by administrators.
    """
    if targets:
        is_allowed = all(may_on(by, Permission.REGISTER, target) for target in targets)
    else:
        is_allowed = may_on(by, Permission.ADMIN, SHARED)
    if not is_allowed:
        raise Forbidden(
            "A notice is written by those who may register all datasets that it is about; by administrators, if it "
            "is about none."
        )
