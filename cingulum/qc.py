"""Quality control of sessions and datasets: its codes and their names, worst last."""

from __future__ import annotations

from typing import Final

QC_NAMES: Final = {0: "NOT_SET", 10: "PASS", 30: "WARNING", 40: "FAIL", 50: "CRITICAL"}
