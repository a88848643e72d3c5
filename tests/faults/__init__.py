"""The fault suite: rounds that are played while things break, and an independent look at the end.

`site.py` is a project on real services, `crowd.py` the people who answer and the journal of what
they did, `points.py` where a worker can be killed, `chaos.py` what else goes wrong, `checker.py`
compares Argilla, database and journal. `make soak` plays long, the tests a representative part.
"""
