"""Weights and water day by day."""

from __future__ import annotations

import pytest

from tests.support.portal import a_colony, browsing
from tests.support.system import Cingulum

COLUMNS = {
    "date",
    "weight",
    "weighing_at",
    "reference_weight",
    "expected_weight",
    "min_weight",
    "percentage_weight",
    "given_water_reward",
    "given_water_supplement",
    "given_water_total",
    "expected_water",
    "excess_water",
    "is_water_restricted",
    "implant_weight",
}


async def test_each_day_has_its_weights_and_water(cingulum: Cingulum) -> None:
    async with browsing(cingulum.environment) as browser:
        await a_colony(browser)
        path = "/water-requirement/KS014?start_date=2020-08-20&end_date=2020-08-26"
        answer = await browser.api("GET", path)
        days = {record["date"]: record for record in answer["records"]}
        assert list(days) == [f"2020-08-{n}" for n in range(20, 27)]
        assert set(days["2020-08-20"]) >= COLUMNS
        assert days["2020-08-20"]["weight"] is None
        assert days["2020-08-20"]["expected_weight"] is None
        good, low, late = (days[f"2020-08-{n}"] for n in (22, 25, 26))
        assert (good["weight"], good["weighing_at"], good["expected_weight"]) == (24.1, 24.1, 25.0)
        assert good["min_weight"] == pytest.approx(0.85 * 25)
        assert good["percentage_weight"] == pytest.approx(100 * 24.1 / 25)
        assert (good["given_water_reward"], good["given_water_supplement"]) == (0.5, 0.3)
        assert good["excess_water"] == pytest.approx(0.8 - 0.04 * 24.1)
        assert low["expected_water"] == pytest.approx(0.05 * 21.0)
        assert low["is_water_restricted"] is True
        assert (late["weight"], late["weighing_at"]) == (21.0, None)
        whole = await browser.api("GET", "/water-requirement/KS014?end_date=2020-08-26")
        assert whole["records"][0]["date"] == "2020-08-21"


async def test_an_invalid_request_is_refused(cingulum: Cingulum) -> None:
    async with browsing(cingulum.environment) as browser:
        assert (await browser.get("/water-requirement/KS014")).status_code == 403
        await a_colony(browser)
        headers = {"Authorization": f"Token {browser.token}"}
        for path, status in (
            ("/water-requirement/nobody", 404),
            ("/water-requirement/KS014?start_date=yesterday", 400),
            ("/water-requirement/KS014?start_date=1990-01-01", 400),
        ):
            assert (await browser.get(path, headers=headers)).status_code == status, path
