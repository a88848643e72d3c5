"""Spreading a batch over what the items are about: groups, centres, gradients, coverage.

Pure functions of arrays. They run on a short list or a sample, or walk a pool in blocks; none looks
at all pairs of a pool.
"""
