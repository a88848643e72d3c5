"""Runs inside Argilla's own environment, never in ours: `python …/argilla_plugin COMMAND`.

prepare   bring the database up to date, see that users and workspace exist (ROUNDS_PREPARE: JSON)
serve     the server with its web UI
work      background jobs: webhooks, changes of many records
"""

import os
import sys

import rounds_search  # noqa: F401 - registers the search engine, in every process that Argilla forks


def main(arguments: list[str]) -> int:
    command, *rest = arguments
    if command == "prepare":
        import rounds_prepare

        rounds_prepare.prepare(os.environ["ROUNDS_PREPARE"])
        return 0
    if command == "serve":
        return _serve(*rest)
    if command == "work":
        return _work()
    sys.stderr.write(__doc__)
    return 2


def _serve(host: str, port: str) -> int:
    import uvicorn

    uvicorn.run("argilla_server:app", host=host, port=int(port), access_log=False)
    return 0


def _work() -> int:
    from argilla_server.jobs.queues import DEFAULT_QUEUE, HIGH_QUEUE, REDIS_CONNECTION
    from rq import Worker

    # with the scheduler, which repeats webhooks that were not taken
    Worker([HIGH_QUEUE, DEFAULT_QUEUE], connection=REDIS_CONNECTION).work(with_scheduler=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
