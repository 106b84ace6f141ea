"""Tianyi's façade: `from repository import Repository`."""

TYPE_CHECKING = False  # typing would be most of what is imported before main can mind a signal
if TYPE_CHECKING:
    from repository.repository import Repository

__all__ = ["Repository"]


def __getattr__(name: str) -> object:
    """The façade, when it is asked for: workers need modules of this package, and none of what it brings along."""
    if name != "Repository":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from repository.repository import Repository

    return Repository
