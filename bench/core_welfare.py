"""Time of the welfare rules for a colony: 1,000 animals on each of 60 days, from plain history values.

Run: python -m bench.core_welfare. Limit: 1 s on one core.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, date, datetime, timedelta

from cingulum.welfare import History, Implant, LabPolicy, Restriction, Water, Weighing, assess, assess_days

ANIMALS, DAYS, LIMIT_S = 1000, 60, 1.0


def an_animal(rng: random.Random) -> History:
    """Sixty days of restriction: daily a weighing, a reward and a supplement; an implant."""
    start = datetime(2024, 4, 1, 8, tzinfo=UTC)
    weight = rng.uniform(18, 30)
    days = [start + timedelta(days=n, minutes=rng.randrange(90)) for n in range(DAYS)]
    return History(
        weighings=[Weighing(day, weight * rng.uniform(0.8, 1.0)) for day in days],
        implants=[Implant(start - timedelta(days=9), 2.5)],
        restrictions=[Restriction(start, None, weight)],
        water=[
            Water(day + timedelta(hours=h), rng.uniform(0.1, 0.9), h == 4) for day in days for h in (4, 9)
        ],
        sex=rng.choice("MF"),
        birth_date=date(2023, 12, 1),
    )


def main() -> bool:
    """Measure the vectorised path, and one moment at a time; whether the limit holds."""
    reached = True
    rng = random.Random(3)
    colony = [an_animal(rng) for _ in range(ANIMALS)]
    lab = LabPolicy(reference_fraction=0.425, growth_fraction=0.425)
    dates = [date(2024, 4, 1) + timedelta(days=n) for n in range(DAYS)]
    for policy in ("cingulum", "alyx"):
        began = time.process_time()
        tables = assess_days(colony, dates, lab, policy)
        took = time.process_time() - began
        reached &= took <= LIMIT_S
        cells = sum(len(table.percentage) for table in tables)
        verdict = f"limit of {LIMIT_S:g} s {'reached' if took <= LIMIT_S else 'missed'}"
        print(f"welfare {policy}: {ANIMALS} animals x {DAYS} days ({cells} rows) in {took:.3f} s, {verdict}")
    began = time.process_time()
    for animal in colony[:100]:
        assess(animal, datetime(2024, 5, 1, 21, tzinfo=UTC), lab)
    print(f"welfare, one animal at one moment: {(time.process_time() - began) / 100 * 1e3:.3f} ms")
    return reached


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
