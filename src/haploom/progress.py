"""Progress of long work: library code reports, whoever shows it decides how.

    with progress.task("Training", total=epochs) as advance:
        advance(1, loss=12.5)

Nothing is shown until `show_with` names a display; the command line names a bar on stderr.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol


class Advance(Protocol):
    """Report `steps` more steps done, with figures worth showing beside the bar."""

    def __call__(self, steps: int = 1, **figures: float) -> None: ...


Display = Callable[[str, int | None], AbstractContextManager[Advance]]

_display: ContextVar[Display | None] = ContextVar("display", default=None)


def _silent(steps: int = 1, **figures: float) -> None:
    pass


def task(label: str, total: int | None = None) -> AbstractContextManager[Advance]:
    """A piece of work of `total` steps (None where unknown); yields the function that reports steps."""
    display = _display.get()
    return display(label, total) if display else nullcontext(_silent)


def unseen() -> AbstractContextManager[Advance]:
    """A piece of work that another process shows."""
    return nullcontext(_silent)


def current_display() -> Display | None:
    """What shows progress here, to be handed to a process that works for this one (a function of a module can be)."""
    return _display.get()


@contextmanager
def show_with(display: Display | None) -> Iterator[None]:
    """Show the progress of everything inside with `display`; None: nowhere."""
    token = _display.set(display)
    try:
        yield
    finally:
        _display.reset(token)
