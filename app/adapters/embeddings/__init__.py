"""Sentence embeddings: models here or at an address, and what they said before."""
