"""Packages that only some formats need, loaded when such a file is met."""

from importlib import import_module
from typing import Any

from haploom.errors import MissingExtraError


def load(module: str, package: str, purpose: str) -> Any:
    """The module of extra `formats`. Raises MissingExtraError naming the package where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(package, "formats", purpose) from error
