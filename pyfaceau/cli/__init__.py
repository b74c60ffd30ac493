"""The commands: they parse, call and report."""

from pyfaceau.cli.command import main as main
