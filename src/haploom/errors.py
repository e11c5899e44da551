"""Errors a user can fix.

The command line prints a `HaploomError` as one line and leaves with its exit code. A message says
what was found, what was wanted, where, and what to do. Any other exception is a bug of ours and keeps
its traceback.
"""


class HaploomError(Exception):
    """Input that cannot be used. Base of every error a user can fix."""

    exit_code = 3


class FormatError(HaploomError):
    """A file that is not in the format its name or its reader says, or a version we do not read."""


class CorruptArchiveError(FormatError):
    """An archive of ours whose bytes fail a check."""


class CorruptModelError(FormatError):
    """A model file of ours whose bytes fail a check."""


class SiteMismatchError(HaploomError):
    """Haplotypes and model describe different sites."""


class MissingExtraError(HaploomError):
    """A feature needs a package that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self._about = package, extra, purpose
        super().__init__(f"{purpose} needs {package}, which is not installed: pip install 'haploom[{extra}]'")

    def __reduce__(self) -> tuple[type["MissingExtraError"], tuple[str, str, str]]:
        """From one process to another."""
        return type(self), self._about


class CheckFailedError(HaploomError):
    """A check the user asked for (verify, an audit) did not pass."""

    exit_code = 4
