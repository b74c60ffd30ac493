"""How long the app lets a person wait, and what it takes, in a real browser.

    python -m validation.app [--minutes 30] [--screens FOLDER]

needs Chromium and Playwright. A clip of ten seconds, at its own size and rate: seconds from the
upload to its first picture, in a new browser session on a server that is up, kernels compiled. Then
a long recording (the clip's video over and over): the highest resident memory of the server and all
its processes together, looked at five times a second, and seconds from a press of an arrow key to
the next picture. Writes ``validation/results/app.md``; with ``--screens``, pictures of the pages at
desktop and phone width, which show the sample's person and stay out of the repository.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from validation.loop import loop_video
from validation.provenance import RESULTS, ROOT, provenance
from validation.reference import SHARED
from validation.report import table

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SAMPLE = SHARED / "samples/video/2015-10-15-15-14.avi"
RATE, SECONDS = 30, 10
ARGUMENTS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
WIDTHS = {"desktop": (1300, 1400), "phone": (390, 844)}
ROUNDS = 3


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[int, str]]:
    """Run the app; yield its process number and its address."""
    command = [sys.executable, "-m", "pyfaceau.cli", "app", "--port", "0", *options]
    environment = {**os.environ, "TMPDIR": str(folder)}
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        yield process.pid, process.stdout.readline().split()[1]
    finally:
        process.terminate()
        process.wait()


def family(process: int) -> list[int]:
    """Return a process and all that it started."""
    found = [process]
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


class Memory:
    """Watches the resident memory of a process and all that it started, five times a second.

    Parameters
    ----------
    process : int
        Its number.

    Attributes
    ----------
    highest : float
        MiB of all of them together, at most so far.
    """

    def __init__(self, process: int) -> None:
        self.process, self.highest = process, 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        with contextlib.suppress(OSError):  # it has ended
            while True:
                self.highest = max(self.highest, sum(map(resident_mib, family(self.process))))
                time.sleep(0.2)


def resident_mib(process: int) -> float:
    """Return the resident memory of a process."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def opened(browser: Browser, address: str, width: str = "desktop") -> Page:
    """Open the app in a session of its own."""
    wide, high = WIDTHS[width]
    page = browser.new_context(viewport={"width": wide, "height": high}).new_page()
    page.goto(address)
    page.set_default_timeout(1_800_000)
    page.get_by_text("Drop a file, or choose one").wait_for()
    return page


def until_picture(page: Page, video: Path) -> float:
    """Upload a video; return the seconds until its first picture is there."""
    began = time.perf_counter()
    page.get_by_test_id("stMain").locator("input[type=file]").first.set_input_files(video)
    page.get_by_test_id("stImage").locator("img").wait_for()
    return time.perf_counter() - began


def next_picture(page: Page) -> float:
    """Press an arrow key on the slider; return the seconds until another picture is there."""
    picture = page.get_by_test_id("stImage").locator("img")
    before = picture.get_attribute("src")
    slider = page.get_by_role("slider")
    slider.focus()
    began = time.perf_counter()
    slider.press("ArrowRight")
    while picture.get_attribute("src") == before:
        time.sleep(0.01)
    return time.perf_counter() - began


def screens(browser: Browser, address: str, video: Path, folder: Path) -> None:
    """Write pictures of the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        page = opened(browser, address, width)
        page.screenshot(path=folder / f"{width}-start.png", full_page=True)
        until_picture(page, video)
        page.locator(".js-plotly-plot").first.wait_for()
        time.sleep(2)
        page.get_by_test_id("stMain").screenshot(path=folder / f"{width}-video.png")
        for number in range(1, 8):
            page.mouse.move(WIDTHS[width][0] / 2, WIDTHS[width][1] / 2)
            page.mouse.wheel(0, WIDTHS[width][1] * 0.8)
            time.sleep(0.7)
            page.screenshot(path=folder / f"{width}-video-{number}.png")
        page.context.close()


def clip(folder: Path) -> Path:
    """Write the first ten seconds of the sample, as MPEG-4."""
    import av

    from pyfaceau.media.video import VideoReader

    path = folder / "clip.mp4"
    with VideoReader(SAMPLE) as video, av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.bit_rate = 4_000_000
        for frame, _ in zip(video, range(RATE * SECONDS), strict=False):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def main() -> None:
    """Run the command line."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="of the long recording")
    parser.add_argument("--screens", type=Path)
    options = parser.parse_args()
    origin = provenance("python -m validation.app")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        short, long = clip(folder), folder / "long.avi"
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS.split())
        times = -(-int(options.minutes * 60 * RATE) // loop_video(SAMPLE, 1, long))
        frames = loop_video(SAMPLE, times, long)
        with served(folder, "--limit", "2048") as (process, address):
            first = []
            for _ in range(ROUNDS):
                page = opened(browser, address)
                time.sleep(3)  # a person looks for the file
                first.append(until_picture(page, short))
                page.context.close()
            if options.screens:
                screens(browser, address, short, options.screens)
        with served(folder, "--limit", "2048") as (process, address):
            memory = Memory(process)
            page = opened(browser, address)
            took = until_picture(page, long)
            measured = memory.highest
            page.locator(".js-plotly-plot").first.wait_for()
            moves = [next_picture(page) for _ in range(10)]
            looked = memory.highest
            page.get_by_role("button", name="Make: Report (HTML)").click()
            page.get_by_role("button", name="Download: Report (HTML)").wait_for()
            reported = memory.highest
    rows = [
        ["clip of 10 s, upload to first picture, s (3 sessions)",
         " / ".join(f"{one:.1f}" for one in first), "5"],
        [f"{frames:,} frames, {frames / RATE / 60:.0f} minutes: upload to first picture, s",
         f"{took:.0f}", "-"],
        ["the same: highest memory of all processes together, MiB", f"{measured:.0f}", "1536"],
        ["after ten moves of the slider, MiB", f"{looked:.0f}", "1536"],
        ["after its report was made, MiB", f"{reported:.0f}", "1536"],
        ["a move of the slider to the next picture, s, median / longest",
         f"{statistics.median(moves):.2f} / {max(moves):.2f}", "-"],
    ]  # fmt: skip
    head = "\n".join(f"- {key}: {value}" for key, value in origin.items())
    text = f"# The app: waiting and memory\n\n{head}\n\n"
    (RESULTS / "app.md").write_text(text + table(["what", "measured", "bar"], rows))


if __name__ == "__main__":
    main()
