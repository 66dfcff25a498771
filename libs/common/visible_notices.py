"""Visibility of notices on datasets and of download counters, as `visible.py` has that of datasets."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.published import DATA_NOTICE_DATASETS, DATA_NOTICE_READERS, DATA_NOTICES, DOWNLOADS, alias
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_visible


def is_notice_visible(visibility: Visibility, notice_id: Any) -> Condition:
    """The notice exists and is visible to the caller."""
    notice = alias(DATA_NOTICES, "itself")
    condition = sa.exists().where(notice.c.id == notice_id, is_notice_row_visible(visibility, notice.c.id))
    return condition.correlate_except(notice)


def is_notice_row_visible(visibility: Visibility, notice_id: Any) -> Condition:
    """The same for a notice that is known to exist: it is about a dataset that the caller can see.

    One on a dataset that was pulled from a release is also for those who read it from there.

    One on no dataset is for all who are no public readers; administrators also see those whose datasets are gone.
    """
    if visibility.everything:
        return sa.true()
    link, any_link = alias(DATA_NOTICE_DATASETS, "about"), alias(DATA_NOTICE_DATASETS, "about any")
    shown = sa.exists().where(
        link.c.data_notice_id == notice_id,
        is_noted_dataset_visible(visibility, link.c.data_notice_id, link.c.dataset_id),
    )
    conditions: list[Condition] = [shown.correlate_except(link)]
    if not visibility.public_only and visibility.labs is None:
        about_any = sa.exists().where(any_link.c.data_notice_id == notice_id)
        conditions.append(~about_any.correlate_except(any_link))
    return sa.or_(*conditions)


def is_noted_dataset_visible(visibility: Visibility, notice_id: Any, dataset_id: Any) -> Condition:
    """The caller may know that a notice is about a dataset: one that is visible, or that the caller once read."""
    shown = is_dataset_visible(visibility, dataset_id)
    if visibility.everything or visibility.user_id is None:
        return shown
    reader = alias(DATA_NOTICE_READERS, "reader")
    was_read = sa.exists().where(
        reader.c.data_notice_id == notice_id,
        reader.c.dataset_id == dataset_id,
        reader.c.user_id == visibility.user_id,
    )
    return sa.or_(shown, was_read.correlate_except(reader))


def is_download_visible(visibility: Visibility, download_id: Any) -> Condition:
    """The counter exists and is visible to the caller."""
    download = alias(DOWNLOADS, "itself")
    condition = sa.exists().where(
        download.c.id == download_id, is_download_row_visible(visibility, download.c)
    )
    return condition.correlate_except(download)


def is_download_row_visible(visibility: Visibility, download: Any) -> Condition:
    """The same for a counter that is known to exist: the caller's own, of a dataset that the caller can see.

    Administrators see those of all users.
    """
    of_dataset = is_dataset_visible(visibility, download.dataset_id)
    if visibility.everything or visibility.every_email:
        return of_dataset
    return sa.and_(download.user_id == visibility.caller_id, of_dataset)
