"""The table and the picture of a run, and whether the targets are met."""

from __future__ import annotations

from typing import Any

# Relative to mtscomp in the same run: sizes at most, speeds at least.
SIZES = {
    "np1": (0.715, 0.735, 0.74),
    "np2": (0.70, 0.755, 0.76),
    "lf": (0.52, 0.755, 0.76),
    "np1_cm": (0.66, 0.74, 0.75),
    "np1_oe": (0.72, 0.72, 0.73),
    "real": (0.725, 0.73, 0.73),
}
OURS = ("cingulum small, numba", "cingulum fast, numba", "cingulum fast, numpy")
SPEEDS = {"pack": (18.0, 40.0, 9.0), "unpack": (2.5, 4.5, 1.2)}
SPEED_CASES = ("np1", "np2")
WAYS = ("compress", "decompress")
SYSTEM = {
    "two threads, arithmetic only": 0.0,
    **{f"two threads, {preset} numba, {way}": 1.8 for preset in ("small", "fast") for way in WAYS},
    **{f"two threads, fast numpy, {way}": 1.5 for way in WAYS},
    "slice of 1 s x all channels, small": 2.5,
    "slice of 1 s x 8 channels, small": 10.0,
    "slice of 1 s x all channels, fast": 4.0,
    "slice of 1 s x 8 channels, fast": 15.0,
}


def verdicts(results: dict[str, Any]) -> list[tuple[str, float, float, bool]]:
    """(name, measured, target, met) for every target that the run measured."""
    lines = []
    for label, content in results["cases"].items():
        rows = {row["name"]: row for row in content["rows"]}
        case = content["case"]
        for place, name in enumerate(OURS):
            size, most = rows[name]["size"], SIZES[case][place]
            lines.append((f"{label}: size, {name}", size, most, size <= most))
            if case in SPEED_CASES:
                for key, least in SPEEDS.items():
                    speed = rows[name][key]
                    lines.append((f"{label}: {key}, {name}", speed, least[place], speed >= least[place]))
        if case in SPEED_CASES:
            for name, row in rows.items():
                if name.startswith(".cbin compatible-fast"):
                    lines.append((f"{label}: pack, {name}", row["pack"], 15.0, row["pack"] >= 15))
                if name.startswith(".cbin compatible-small"):
                    lines.append((f"{label}: size, {name}", row["size"], 0.97, row["size"] <= 0.97))
    for name, value in results["system"].items():
        lines.append((name, value, SYSTEM[name], value >= SYSTEM[name]))
    return lines


def all_met(results: dict[str, Any]) -> bool:
    """Whether every target is met."""
    return all(met for *_, met in verdicts(results))


def undominated(rows: list[dict[str, Any]]) -> set[str]:
    """Names of the codecs on the Pareto front of size and compression speed."""
    return {
        row["name"]
        for row in rows
        if not any(
            other["size"] <= row["size"] and other["pack"] >= row["pack"] and other is not row
            for other in rows
        )
    }


def table(results: dict[str, Any]) -> str:
    """Markdown: one table per case, the limits, and the targets."""
    lines = ["# Codecs for raw recordings, relative to mtscomp 1.0.2", ""]
    for label, content in results["cases"].items():
        limits = ", ".join(f"{name} {bits:.3f}" for name, bits in results["limits"][label].items())
        lines += [
            f"## {label}",
            "",
            f"Entropy limits in bits per sample: {limits}. An asterisk marks the Pareto front.",
            "",
        ]
        lines += [
            "| codec | ratio | size | compress × | decompress × | MB/s in | MB/s out |",
            "|---|---|---|---|---|---|---|",
        ]
        front = undominated(content["rows"])
        for row in sorted(content["rows"], key=lambda row: row["size"]):
            star = "*" if row["name"] in front else ""
            lines.append(
                f"| {row['name']}{star} | {row['ratio']:.3f} | {row['size']:.4f} | {row['pack']:.1f} | "
                f"{row['unpack']:.2f} | {row['pack_mb_s']:.0f} | {row['unpack_mb_s']:.0f} |"
            )
        lines.append("")
    lines += ["## Targets", "", "| what | measured | target | |", "|---|---|---|---|"]
    lines += [
        f"| {what} | {value:.3f} | {target:g} | {'met' if met else '**missed**'} |"
        for what, value, target, met in verdicts(results)
    ]
    return "\n".join(lines) + "\n"


def picture(results: dict[str, Any]) -> str:
    """SVG: size against compression speed (logarithmic) of the first case; ours are filled."""
    import math

    label, content = next(iter(results["cases"].items()))
    width, height, left, top = 760, 440, 60, 40
    speeds = [row["pack"] for row in content["rows"]]
    low, high = math.log10(min(speeds)) - 0.05, math.log10(max(speeds)) + 0.3
    sizes = [row["size"] for row in content["rows"]]
    small, large = min(sizes) - 0.03, max(sizes) + 0.03

    def x(speed: float) -> float:
        return left + (math.log10(speed) - low) / (high - low) * (width - left - 150)

    def y(size: float) -> float:
        return top + (size - small) / (large - small) * (height - 2 * top)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="22" font-size="14">{label}: relative to mtscomp; up and right is better</text>',
        f'<text x="{left}" y="{height - 8}">compression speed, × mtscomp (logarithmic)</text>',
        f'<text x="14" y="{height - 60}" transform="rotate(-90 14 {height - 60})">compressed size, × mtscomp</text>',
    ]
    for tick in (1, 2, 5, 10, 20, 50):
        if low <= math.log10(tick) <= high:
            parts.append(f'<text x="{x(tick):.0f}" y="{height - 24}" text-anchor="middle">{tick}</text>')
    for tenth in range(math.ceil(small * 10), math.floor(large * 10) + 1):
        parts.append(
            f'<text x="{left - 8}" y="{y(tenth / 10) + 4:.0f}" text-anchor="end">{tenth / 10:.1f}</text>'
        )
    for row in content["rows"]:
        fill = "#0b6e99" if row["ours"] else "white"
        parts.append(
            f'<circle cx="{x(row["pack"]):.1f}" cy="{y(row["size"]):.1f}" r="4.5" fill="{fill}" stroke="#0b6e99"/>'
            f'<text x="{x(row["pack"]) + 8:.1f}" y="{y(row["size"]) + 4:.1f}">{row["name"]}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
