"""LLM services over HTTP, and one that is simulated."""
