"""`myositis-cds config`: for those who run the service."""

import os

import click

from server.config import Config


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
def show() -> None:
    """Print every setting, its value without secrets, and where that comes from.

    Exit code 2 if they cannot be used. What the files hold that they name is looked at by `myositis-cds doctor`, and when the
    service starts.
    """
    from server.serving.settings import settings_of

    for setting in settings_of(Config.from_environment(os.environ), os.environ):
        click.echo(f"{setting.name:<36}{setting.value}  ({setting.source})")
