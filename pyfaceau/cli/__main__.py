"""``python -m pyfaceau.cli``: the command ``pyfaceau``."""

from pyfaceau.cli.command import main

main(prog_name="pyfaceau")
