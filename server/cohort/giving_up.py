"""How a command says to whoever runs it what is wrong, and ends."""

import sys
from typing import NoReturn

import click

UNUSABLE = 2
"""Exit code: what was asked for, or given, cannot be used."""

TROUBLE = 1
"""Exit code: something got in the way; what was done stays done."""


def tell(text: str) -> None:
    """Say something on standard error, on one line.

    Args:
        text: a sentence, which names no patient.
    """
    click.echo(f"myositis-cds: {text}", err=True)


def give_up(text: str, code: int) -> NoReturn:
    """Say what is wrong, and end.

    Args:
        text: a sentence, which names no patient.
        code: `UNUSABLE` or `TROUBLE`.
    """
    tell(text)
    sys.exit(code)
