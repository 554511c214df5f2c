"""Write `patients/<slug>.json` from `stories/<slug>.yaml`: `python -m sandbox.build_patients [--check]`."""

import json
from pathlib import Path

import click

from sandbox.bundles import build_bundle
from sandbox.codes import read_codes
from sandbox.story import STORIES_FOLDER, StoryError, read_stories

PATIENTS_FOLDER = Path(__file__).with_name("patients")


def expected_files(stories: Path = STORIES_FOLDER) -> dict[str, str]:
    """The text of every patient file, by file name.

    Raises:
        StoryError: a story cannot be read or built.
    """
    codes = read_codes()
    return {
        f"{story.slug}.json": json.dumps(build_bundle(story, codes), indent=1, ensure_ascii=False) + "\n"
        for story in read_stories(stories)
    }


def differences(expected: dict[str, str], folder: Path = PATIENTS_FOLDER) -> list[str]:
    """Names of the files in the folder that are missing, stale or left over."""
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def write(expected: dict[str, str], folder: Path = PATIENTS_FOLDER) -> None:
    """Bring the folder up to date: write what differs, remove what has no story."""
    folder.mkdir(exist_ok=True)
    for name in differences(expected, folder):
        if name in expected:
            (folder / name).write_text(expected[name], encoding="utf-8")
        else:
            (folder / name).unlink()


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; fail if a patient file does not match its story.")
def main(check: bool) -> None:
    """Write the synthetic patients as FHIR R4 Bundles from their stories."""
    try:
        expected = expected_files()
    except StoryError as error:
        raise click.ClickException(str(error)) from error
    if not check:
        write(expected)
    elif stale := differences(expected):
        raise click.ClickException(f"out of date: {', '.join(stale)}. Run: python -m sandbox.build_patients")
    click.echo(f"{len(expected)} patients are up to date")


if __name__ == "__main__":
    main()
