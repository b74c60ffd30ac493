"""Markdown of a conformance run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from validation.metrics import Comparison, TextAgreement, noise_failures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from validation.stages import StageCheck

VIDEO_HEADER = (
    "video",
    "rows",
    "both succeed",
    "success equal",
    "mean r",
    "min r",
    "r >= 0.80",
    "MAE",
    "bias",
    "AU_c equal",
    "landmarks px",
    "max px",
    "% of eyes",
    "pose deg",
    "gaze deg",
)


def number(value: float | None, digits: int = 4) -> str:
    """Return a figure as text; a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, first column left, the others right."""
    rule = [":--", *["--:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows)) + "\n"


def video_table(results: Mapping[str, Comparison]) -> str:
    """Return the table with one line for each video."""
    rows = []
    for name, c in results.items():
        rows.append(
            [
                name,
                f"{c.rows}/{c.reference_rows}",
                str(c.frames),
                number(c.success_agree),
                number(c.mean_r),
                number(c.min_r),
                f"{c.good}/{len(c.correlations)}",
                *(number(value) for value in (c.mae, c.bias, c.auc_agree)),
                *(number(value, 3) for value in (c.lm_px, c.lm_max, c.lm_iod)),
                *(number(value, 3) for value in (c.pose_deg, c.gaze_deg)),
            ]
        )
    return table(VIDEO_HEADER, [*rows, _mean_row(list(results.values()))])


def _mean_row(results: Sequence[Comparison]) -> list[str]:
    """Return the means over the videos that have the figure."""

    def mean(name: str, digits: int) -> str:
        values = [getattr(c, name) for c in results if getattr(c, name) is not None]
        return number(float(np.mean(values)), digits) if values else "-"

    good = f"{sum(c.good for c in results)}/{sum(len(c.correlations) for c in results)}"
    return [
        "**mean**",
        f"{sum(c.rows for c in results)}/{sum(c.reference_rows for c in results)}",
        str(sum(c.frames for c in results)),
        *(mean(name, 4) for name in ("success_agree", "mean_r", "min_r")),
        good,
        *(mean(name, 4) for name in ("mae", "bias", "auc_agree")),
        *(mean(name, 3) for name in ("lm_px", "lm_max", "lm_iod", "pose_deg", "gaze_deg")),
    ]


def unit_table(results: Mapping[str, Comparison]) -> str:
    """Return the table with one line for each action unit: r on every video, then the means."""
    videos = {name: c for name, c in results.items() if c.frames}
    names = sorted({name[:4] for c in videos.values() for name in (*c.intensities, *c.presences)})
    header = ["AU", *videos, "mean r", "MAE", "bias", "AU_c equal"]
    rows = []
    for name in names:
        units = [c.intensities.get(f"{name}_r") for c in videos.values()]
        known = [unit for unit in units if unit is not None]
        r = [unit.r for unit in known if unit.r is not None]
        presences = [
            c.presences[f"{name}_c"] for c in videos.values() if f"{name}_c" in c.presences
        ]
        rows.append(
            [
                name,
                *("-" if unit is None else number(unit.r, 3) for unit in units),
                number(float(np.mean(r)) if r else None),
                number(float(np.mean([unit.mae for unit in known])) if known else None),
                number(float(np.mean([unit.bias for unit in known])) if known else None),
                number(float(np.mean(presences)) if presences else None),
            ]
        )
    return table(header, rows)


def noise_table(
    results: Mapping[str, Comparison], noise: Mapping[str, dict[str, dict[str, float]]]
) -> str:
    """Return the table of the exact profile against the reference's own repeatability."""
    rows = []
    for name, c in results.items():
        kernels = noise.get(name, {})
        r = min((k["mean_r"] for k in kernels.values()), default=None)
        px = max((k["lm_px"] for k in kernels.values()), default=None)
        missed = noise_failures(c, kernels)
        rows.append(
            [
                name,
                number(c.mean_r),
                number(r),
                number(c.lm_px),
                number(px),
                number(c.success_agree),
                "; ".join(missed) or "holds",
            ]
        )
    header = ("video", "mean r", "lower kernel", "landmarks px", "larger kernel", "success equal")
    return table((*header, "verdict"), rows)


def text_table(results: Mapping[str, TextAgreement]) -> str:
    """Return the table of equal rows and cells."""
    rows = [
        [
            name,
            "equal" if t.header_equal else "differs",
            f"{t.rows_equal}/{t.rows}",
            f"{t.tracked_equal}/{t.tracked}",
            f"{t.cells_equal}/{t.cells}",
        ]
        for name, t in results.items()
    ]

    def total(part: str, whole: str) -> str:
        return f"{sum(getattr(t, part) for t in texts)}/{sum(getattr(t, whole) for t in texts)}"

    texts = list(results.values())
    totals = [
        total("rows_equal", "rows"),
        total("tracked_equal", "tracked"),
        total("cells_equal", "cells"),
    ]
    header = ("video", "header", "rows", "rows from the first face on", "cells")
    return table(header, [*rows, ["**all**", "", *totals]])


def stage_table(checks: Sequence[StageCheck]) -> str:
    """Return the table of stages fed with the reference's own inputs."""
    rows = [[c.stage, c.video, c.measured, c.bar, "holds" if c.holds else "MISSED"] for c in checks]
    return table(("stage", "video", "measured", "bar", "verdict"), rows)


def heading(title: str, origin: Mapping[str, str]) -> str:
    """Return a report's first lines: title and provenance."""
    lines = [
        f"- {name}: `{text}`" if name == "command" else f"- {name}: {text}"
        for name, text in origin.items()
    ]
    return f"# {title}\n\n" + "\n".join(lines) + "\n"
