"""Rounds: from an unlabelled pile of text to a trained classifier, with few human labels."""

__version__ = "0.1.0"
