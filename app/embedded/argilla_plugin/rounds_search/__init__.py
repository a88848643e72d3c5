"""Argilla's search, answered by SQL from Argilla's own tables. Importing this registers it."""

from rounds_search.engine import SqlSearchEngine

__all__ = ["SqlSearchEngine"]
