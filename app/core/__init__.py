"""Pure functions and frozen values: arrays in, the same out. No I/O, no clock, no global state."""
