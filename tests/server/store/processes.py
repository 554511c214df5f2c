"""What the tests run in a process of its own: commands, and what is to be killed or to have fewer rights."""

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[3]
SECONDS = 60

_forking = get_context("forkserver")
_forking.set_forkserver_preload(
    [
        "alembic.command",
        "server.assessing.chart_input",
        "server.command_line",
        "server.auditing.bringing_home",
        "server.store.backup",
        "server.store.hurried",
        "server.store.migrating",
        "server.store.pseudonyms",
        "server.store.used_tokens",
        __name__,
    ]
)
"""One process loads what takes a second to load, opens nothing, and is forked for each program."""


def command(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run `myositis-cds`, with these variables in its environment and the path, and no others."""
    started = "from server.command_line import main; main(prog_name='myositis-cds')"
    return python("-c", started, *map(str, arguments), environment={"PATH": os.defpath} | environment)


def python(
    *arguments: str, before: tuple[str, ...] = (), environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run Python.

    Args:
        arguments: what to run, as on a command line: `-c` or `-m`, and what follows.
        before: a command to start it with.
        environment: its environment; ours by default.
    """
    if before:
        return subprocess.run(
            [*before, sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    with TemporaryDirectory() as said:
        process = _forking.Process(target=_become, args=(arguments, Path(said), environment))
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, SECONDS)
        output, errors = ((Path(said) / name).read_text("utf-8") for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(arguments, process.exitcode, output, errors)


def all_at_once(job: str, argument: str) -> list[str]:
    """What eight processes say that do a job at the same moment (`all_at_once.py`)."""
    result = python("-m", "tests.server.store.all_at_once", job, argument)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.split()


def _become(arguments: tuple[str, ...], said: Path, environment: Mapping[str, str] | None) -> None:
    """In the forked process: be the program, and say what it says into two files."""
    os.chdir(ROOT)
    if environment is not None:
        os.environ.clear()
        os.environ.update(environment)
    for number, name in enumerate(("stdout", "stderr"), 1):
        os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    form, program, *rest = arguments
    sys.argv = [form, *rest]
    if form == "-m":
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - written in the test that calls
