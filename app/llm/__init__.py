"""LLMs as oracle, selector and judge: what is asked, in which words, and what is made of it."""
