"""Tianyi's façade: `from repository import Repository`."""

from repository.repository import Repository

__all__ = ["Repository"]
