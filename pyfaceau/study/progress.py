"""A progress bar over a study."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pyfaceau.study.plan import Step
from pyfaceau.study.runner import Observer

if TYPE_CHECKING:
    from typing_extensions import Self


class Bar(Observer):
    """Shows videos done, frames per second, time left and failures; used in a ``with`` statement.

    The bar counts the bytes of the videos, so that a long one weighs more; it is drawn where
    standard error is a terminal. What was planned and why, failures and warnings are said line
    by line in any case.

    Parameters
    ----------
    say : callable
        Is given the lines.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=0, unit="B", unit_scale=True, disable=None, leave=False)
        self._say = say
        self._sizes: dict[str, int] = {}
        self._done = self._failed = 0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def planned(self, steps: Sequence[Step], total: int) -> None:
        """Say what is to be done, and why.

        Parameters
        ----------
        steps : sequence of Step
            What is to be done.
        total : int
            Videos that were asked for.
        """
        self._sizes = {step.name: step.size for step in steps}
        self._bar.reset(total=sum(self._sizes.values()))
        self._began = time.monotonic()
        why = Counter(step.why.partition(":")[0] for step in steps)
        causes = "; ".join(f"{count} {cause}" for cause, count in why.most_common())
        self._line(f"{len(steps)} of {total} videos to process" + (f": {causes}" if why else ""))

    def moved(self, frames: int) -> None:
        """Show the rate.

        Parameters
        ----------
        frames : int
            Frames done in this run.
        """
        rate = frames / max(time.monotonic() - self._began, 1e-3)
        text = f"{self._done}/{len(self._sizes)} videos, {rate:.0f} frames/s, {self._failed} failed"
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.refresh()

    def ended(self, name: str, why: str, outcome: Mapping[str, Any]) -> None:
        """Count a video; say it if it failed or should not be trusted.

        Parameters
        ----------
        name : str
            The video's name in the study.
        why : str
            Why it was worked on.
        outcome : mapping
            Columns of the ledger.
        """
        self._done += 1
        if outcome["state"] == "failed":
            self._failed += 1
            self._line(f"failed: {name} ({why.partition(':')[0]}): {outcome['error']}")
        elif outcome.get("warnings"):
            self._line(f"warning: {name}: {outcome['warnings']}")
        self._bar.update(self._sizes.get(name, 0))

    def _line(self, text: str) -> None:
        self._bar.clear()
        self._say(text)
