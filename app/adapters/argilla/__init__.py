"""Argilla as the annotation tool, spoken to over plain HTTP."""

from app.adapters.argilla.tool import ArgillaTool

__all__ = ["ArgillaTool"]
