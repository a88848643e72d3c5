"""What leaves a project, in open formats. Every exit is a sequence of files, made piece by piece
from one moment's state: the command line writes them to a folder, the API sends them as a zip.

The same state gives the same bytes: fixed order, no clock.
"""
