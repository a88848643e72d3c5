"""The command line. Thin: every command calls what API and pages call too."""

from app.cli.program import main

__all__ = ["main"]
