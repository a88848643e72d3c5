"""A request body as an iterator for a thread: the thread asks for the next piece when it wants it,
so a slow database slows the sender and memory holds one piece."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, from_thread, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

Result = TypeVar("Result")


async def read_in_thread(
    body: AsyncIterator[bytes],
    work: Callable[[Iterator[bytes]], Result],
    *,
    idle_seconds: float,
    threads: CapacityLimiter,
) -> Result:
    """`work` over the body, in a thread. If the sender stalls or leaves, `work` sees it raised,
    and whatever transaction it is in rolls back."""

    async def next_piece() -> bytes | None:
        try:
            with anyio.fail_after(idle_seconds):
                return await anext(body, None)
        except TimeoutError:
            raise HTTPException(
                408, f"Nothing came for {idle_seconds:g} seconds; nothing was kept."
            ) from None
        except ClientDisconnect:
            raise HTTPException(400, "The upload broke off; nothing was kept.") from None

    def pieces() -> Iterator[bytes]:
        while (piece := from_thread.run(next_piece)) is not None:
            yield piece

    return await to_thread.run_sync(lambda: work(pieces()), limiter=threads)
