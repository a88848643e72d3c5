"""What can be said of an LLM's answers without asking it: prompts, reading, trust, money."""
