"""The tests of all pages open every page."""

from __future__ import annotations

from tests.support.pages import NO_PAGES, PARAMETERS, get_paths, page_paths, parameters


def test_the_tests_of_all_pages_know_every_parameter_of_a_page() -> None:
    unknown = {path: parameters(path) - PARAMETERS for path in get_paths() - set(NO_PAGES)}
    assert {path: names for path, names in unknown.items() if names} == {}, "tests/pages must know a value"


def test_what_is_no_page_is_a_route() -> None:
    assert set(NO_PAGES) <= get_paths()


def test_addresses_have_the_values() -> None:
    pages = page_paths(nickname="KS014", session_id="s", job_id="j", merge_id="m", name="r")
    assert {"/app/", "/app/subjects/KS014", "/app/sessions/s", "/app/jobs/j"} <= set(pages)
    assert not any("{" in page for page in pages)
