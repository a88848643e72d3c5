"""Experiment trackers; each is an extra, and loaded when it is first told something."""
