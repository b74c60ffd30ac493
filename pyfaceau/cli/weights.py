"""The commands ``pyfaceau weights install``, ``verify`` and ``list``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from pyfaceau.cli.warm_up import after_install
from pyfaceau.errors import PyfaceauError
from pyfaceau.models.manifest import Licence, WeightFile, manifest
from pyfaceau.models.weights import problem, weights_dir

ACCEPT_VARIABLE = "PYFACEAU_ACCEPT_LICENSE"


@contextmanager
def _one_line() -> Iterator[None]:
    """Turn the package's errors into one line and exit code 1."""
    try:
        yield
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def weights() -> None:
    """Install, verify and list the model files."""


@weights.command()
@click.argument("sets", nargs=-1, metavar="[SET]...")
@click.option("--from", "source", metavar="FOLDER", help="Folder or address to look in first.")
@click.option("--accept-license", is_flag=True, help="Accept the licences, which are shown.")
@click.option("--unchecked", is_flag=True, help="Take files on trust that have no known checksum.")
@click.option("--no-warm-up", is_flag=True, help="Do not compile now, see pyfaceau warm-up.")
def install(
    sets: tuple[str, ...],
    source: str | None,
    accept_license: bool,
    unchecked: bool,
    no_warm_up: bool,
) -> None:
    """Install the model files of SET (default: all that the shipped profiles need).

    Looked for in --from, $PYFACEAU_WEIGHTS_MIRROR, the mirrors of configs/mirrors.toml, then at
    their official addresses. Files that are there and right are left alone. Then kernels are
    compiled, so that the first video starts at once.
    """
    from pyfaceau.models.install import install as install_sets

    accepted = accept_license or os.environ.get(ACCEPT_VARIABLE) == "1"
    with _one_line():
        done = install_sets(
            sets,
            accept=lambda licences: _accept(licences, accepted),
            source=source,
            unchecked=unchecked,
        )
    for file in done.absent:
        click.echo(f"{file.path}: on no mirror; {manifest().sets[file.set].about}", err=True)
    click.echo(f"{len(done.fetched)} files installed in {weights_dir()}")
    if not no_warm_up:
        after_install(sets)


def _accept(licences: Sequence[Licence], accepted: bool) -> bool:
    """Show the licences; ask on a terminal unless they are accepted already."""
    for licence in licences:
        click.echo(f"--- {licence.name}\n{licence.text.strip()}")
        click.echo(f"{licence.url}\n" if licence.url else "")
    if accepted:
        click.echo("Accepted by option or environment.")
        return True
    if sys.stdin.isatty():
        return click.confirm("Do you accept these licences?")
    raise click.ClickException(
        "no terminal to ask for the licences on: accept them with --accept-license "
        f"or {ACCEPT_VARIABLE}=1"
    )


@weights.command()
@click.argument("sets", nargs=-1, metavar="[SET]...")
def verify(sets: tuple[str, ...]) -> None:
    """Compare the installed files of SET with the manifest; exit 1 if one is not right."""
    with _one_line():
        files = manifest().select(sets)
        found = [(file, _state(file)) for file in files]
    bad = [(file, state) for file, state in found if not _is_fine(file, state)]
    for file, state in bad:
        click.echo(f"{weights_dir() / file.path}: {state}")
    if bad:
        mend = " ".join(["pyfaceau weights install", *dict.fromkeys(file.set for file, _ in bad)])
        raise click.ClickException(f"{len(bad)} of {len(files)} files are wrong; mend with: {mend}")
    click.echo(f"{len(files)} files verified in {weights_dir()}")


def _state(file: WeightFile) -> str:
    """Return ``ok`` or what is wrong with an installed file."""
    return problem(weights_dir() / file.path, file) or "ok"


def _is_fine(file: WeightFile, state: str) -> bool:
    """Tell whether a file can be left as it is; a file that only mirrors hold may be missing."""
    return state == "ok" or (state == "missing" and file.url is None)


@weights.command(name="list")
def list_files() -> None:
    """List the known files: state, size, set, licence, path."""
    with _one_line():
        known = manifest()
        width = max(len(key) for key in known.sets)
        click.echo(f"# {weights_dir()}")
        for file in known.files:
            size = "?" if file.size is None else f"{file.size:,}"
            state = _state(file).partition(",")[0]
            licence = known.licences[file.licence].key
            click.echo(f"{state:<9} {size:>11} {file.set:<{width}} {licence:<14} {file.path}")
