"""Filters of lists by a subject's nickname, which has two names in Alyx."""

from __future__ import annotations

from typing import Annotated

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import Combined, ListFilters, parameter
from libs.common.filters.parameters import Text
from libs.common.visibility import Visibility
from services.metadata.models import SubjectRow


class SubjectNameFilters(ListFilters):
    """Filters of a list of what is recorded about subjects."""

    nickname: Annotated[Text, Combined()] = parameter("Nickname of the subject.")
    subject: Annotated[Text, Combined()] = parameter("Alias of `nickname`, which takes precedence.")

    def combined(self, _visibility: Visibility) -> list[Condition]:
        """The subject by either of its names."""
        nickname = self.nickname or self.subject
        return [SubjectRow.nickname == nickname] if nickname else []
