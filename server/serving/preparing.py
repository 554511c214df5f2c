"""What a generation does before it has workers: load everything, see that it can be used, and try it."""

from server.basis import load_basis
from server.config import Config
from server.interpreter import settle
from server.serving.aside import aside
from server.serving.named_files import refuse_missing
from server.warm_up import prove, try_out


def prepare(config: Config) -> None:
    """Make this process ready to be forked; leaves no thread and no connection open.

    Args:
        config: the settings.

    Raises:
        ConfigurationError, StoreError: a setting, a file or the database cannot be used.
        RuleError, TerminologyError, SelfTestError: knowledge or terminology cannot be used.
        SystemExit: what is suggested or published does not hold, which was said.
    """
    refuse_missing(config)
    basis = load_basis(config.site, config.terminology)
    with aside(lambda: prove(basis)):
        from server.serving.loading import load  # takes longest, and meanwhile the child proves

        load(config)
        try_out(basis)
    settle()
