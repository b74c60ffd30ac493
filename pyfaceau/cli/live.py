"""The command ``pyfaceau live``."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyfaceau.cli.network import network_option, with_network
from pyfaceau.cli.sides import split_options, with_sides
from pyfaceau.errors import PyfaceauError, VideoError

if TYPE_CHECKING:
    from pyfaceau.live.engine import LiveEngine
    from pyfaceau.live.source import Source


@click.command()
@click.option("--camera", type=click.IntRange(0), help="Number of the camera.  [0]")
@click.option(
    "--file", type=click.Path(path_type=Path), help="A video, played as if it were a camera."
)
@click.option("--config", default="default", show_default=True, help="Profile: name or TOML file.")
@network_option
@split_options
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Record from the first frame on; key r begins and ends others.",
)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Stop after so long.")
@click.option("--json", "lines", is_flag=True, help="No window: a line of JSON per frame.")
@click.option(
    "--serve",
    metavar="ADDRESS:PORT",
    help="No window: a WebSocket, such as 127.0.0.1:8765; other than loopback with --token only.",
)
@click.option("--token", envvar="PYFACEAU_LIVE_TOKEN", help="What clients of --serve must bring.")
@click.option("--lsl", is_flag=True, help="A Lab Streaming Layer outlet too; needs pylsl.")
@click.option("--window", is_flag=True, help="With --json or --serve: the window all the same.")
def live(**options: Any) -> None:
    """Measure a face while it is filmed.

    A window shows landmarks, head box, confidence, gaze and action units; q quits, r records, n
    takes the neutral face. Frames are dropped rather than queued where the machine is slow. Levels
    of action units are learnt as the video goes on, so the first seconds are less sure, and values
    differ from those of the finished video. docs/live.md describes recordings and streams.
    """
    if options["camera"] is not None and options["file"] is not None:
        raise click.UsageError("--camera and --file: give one of them")
    if options["token"] and not options["serve"]:
        raise click.UsageError("--token goes with --serve")
    try:
        failed = _session(options, "try --camera with another number, or --file VIDEO")
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    if failed is not None:
        raise click.ClickException(str(failed))


def film(words: Sequence[str], hint: str) -> None:
    """Run a session for a program whose options have other names.

    Parameters
    ----------
    words : sequence of str
        The command line of ``pyfaceau live``.
    hint : str
        What to do where there is no such camera, in that program's words.

    Raises
    ------
    PyfaceauError
        If the session ends not well.
    """
    with live.make_context("live", list(words)) as context:
        failed = _session(context.params, hint)
    if failed is not None:
        raise failed


def _session(options: dict[str, Any], hint: str) -> PyfaceauError | None:
    """Run a session; return why it ended, where not well."""
    from pyfaceau.config import Config
    from pyfaceau.live.calibration import LiveUnits
    from pyfaceau.live.engine import LiveEngine
    from pyfaceau.models.weights import locate
    from pyfaceau.pipeline.video import FullPythonAUPipeline
    from pyfaceau.prediction.models import AUModels

    window = options["window"] or not (options["lines"] or options["serve"])
    if window:
        from pyfaceau.live.window import check_display, run_window

        check_display()
    config = with_network(Config.load(options["config"]), options["network"], options["au_models"])
    config = with_sides(config, options)
    if options["lsl"] and not config.has_units:
        raise click.UsageError(f"--lsl does not go with profile {options['config']}")
    with _opened(options, hint, config.reading.pixels == "square") as source, ExitStack() as stack:
        click.echo(f"{source.name}: getting ready", err=True)
        pipeline = FullPythonAUPipeline(config=config)
        models = None
        if config.has_units:
            folder = locate(pipeline.config.models.au_predictors)
            models = AUModels.load(folder, config.static_aus)
        sides = (LiveUnits(models), LiveUnits(models)) if config.split_face else None
        engine = LiveEngine(pipeline, LiveUnits(models), source, window, sides)
        if options["record"] is not None:
            engine.record(options["record"])
        _open_streams(engine, options, stack)
        if options["seconds"] is not None:
            _stop_later(engine, options["seconds"])
        with _interruptible(engine):
            if window:
                run_window(engine, source.name, _next_recording)
            else:
                engine.start()
            engine.join()
    for line in engine.recorded:
        click.echo(line, err=True)
    return engine.error


def _opened(options: dict[str, Any], hint: str, square: bool) -> Source:
    """Return the file, or the camera."""
    from pyfaceau.live.source import CameraSource, FileSource

    if options["file"] is not None:
        return FileSource(options["file"], square)
    try:
        return CameraSource(options["camera"] or 0)
    except VideoError as error:
        raise VideoError(f"{error}; {hint}") from None


def _open_streams(engine: LiveEngine, options: dict[str, Any], stack: ExitStack) -> None:
    """Begin what other programs listen to."""
    from pyfaceau.live.stream import FrameServer, LineWriter, parse_address

    if options["lines"]:
        lines = LineWriter(engine, sys.stdout)
        lines.start()
        stack.callback(lines.join)
    if options["serve"]:
        server = FrameServer(engine, *parse_address(options["serve"]), options["token"])
        server.start()
        stack.callback(server.close)
        click.echo(f"serving on ws://{server.address}", err=True)
    if options["lsl"]:
        from pyfaceau.live.lsl import LSLOutlet

        outlet = LSLOutlet(engine)
        outlet.start()
        stack.callback(outlet.join)


def _stop_later(engine: LiveEngine, seconds: float) -> None:
    """Stop so long after the first frame."""

    def wait() -> None:
        engine.began.wait()
        time.sleep(seconds)
        engine.stop()

    threading.Thread(target=wait, name="live limit", daemon=True).start()


@contextmanager
def _interruptible(engine: LiveEngine) -> Iterator[None]:
    """Let Ctrl-C end the session as ``q`` does: what was recorded is kept."""
    before = signal.signal(signal.SIGINT, lambda *_: engine.stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _next_recording() -> Path:
    return Path(time.strftime("live-%Y%m%d-%H%M%S.csv"))
