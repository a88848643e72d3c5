"""Bytes of any origin as bounded chunks, unpacked where they are gzip, and cut into lines."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, cast

from app.core.errors import WrongInput
from app.ports.rows import ReadLimits, Source

CHUNK = 256 * 1024
BOM = b"\xef\xbb\xbf"
GZIP_MAGIC = b"\x1f\x8b"
GZIP_AT_LEAST = 64 * 2**20  # unpacked bytes below which the ratio is nobody's business


class Damaged(Exception):
    """The stream ends early or is broken; the message says how, as a sentence."""


class TooLong:
    """Stands for a line that was longer than allowed and was not kept."""


Line = bytes | TooLong


def chunks_of(source: Source) -> Iterator[bytes]:
    """The source in pieces of at most CHUNK bytes, none of them empty."""
    if hasattr(source, "read"):
        file = cast(BinaryIO, source)
        yield from iter(lambda: file.read(CHUNK), b"")
        return
    for chunk in source:
        if len(chunk) <= CHUNK:
            if chunk:
                yield chunk
        else:
            yield from (chunk[at : at + CHUNK] for at in range(0, len(chunk), CHUNK))


def peek(chunks: Iterator[bytes], least: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes (fewer only if there are no more), and the same stream from its start."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= least:
            break
    return head, chain([head] if head else [], chunks)


def without_bom(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same stream without the byte order mark that some editors put before UTF-8."""
    head, chunks = peek(chunks, len(BOM))
    yield head.removeprefix(BOM)
    next(chunks, None)  # the head, just given
    yield from chunks


def bounded(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The same chunks; WrongInput once they come to more than `most` bytes."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise WrongInput(
                f"The file is larger than {most:,} bytes unpacked. Send it in parts.", limit=most
            )
        yield chunk


def gunzip(chunks: Iterator[bytes], limits: ReadLimits) -> Iterator[bytes]:
    """Unpack gzip of one or more members, a bounded piece at a time."""
    packed = unpacked = 0
    inflate = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        packed += len(chunk)
        rest = chunk
        while rest:
            if inflate.eof:
                rest = rest.lstrip(b"\0")  # padding between members is allowed
                if not rest:
                    break
                inflate = zlib.decompressobj(wbits=31)
            piece = _inflated(inflate, rest)
            unpacked += len(piece)
            _check_ratio(packed, unpacked, limits)
            if piece:
                yield piece
            rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
    if not inflate.eof:
        raise Damaged("The gzip file is cut short.")


def _inflated(inflate: "zlib._Decompress", packed: bytes) -> bytes:
    try:
        return inflate.decompress(packed, CHUNK)
    except zlib.error as error:
        raise Damaged(f"The gzip file is damaged ({error}).") from None


def _check_ratio(packed: int, unpacked: int, limits: ReadLimits) -> None:
    if unpacked > GZIP_AT_LEAST and unpacked > packed * limits.max_gzip_ratio:
        raise WrongInput(
            f"The gzip file unpacks to more than {limits.max_gzip_ratio} times its size, which no "
            "text does. Send it unpacked if it is honest.",
            packed=packed,
            unpacked=unpacked,
        )


def lines_of(chunks: Iterator[bytes], most: int) -> Iterator[Line]:
    """Lines without their line feed; of a line longer than `most` bytes nothing is held."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        *lines, last = chunk.split(b"\n")
        if lines:
            size += len(lines[0])
            lines[0] = b"".join((*held, lines[0])) if size <= most else b""
            yield lines[0] if size <= most else TooLong()
            yield from _checked(lines[1:], most)
            held, size = [], 0
        size += len(last)
        if size <= most:
            held.append(last)
        else:
            held.clear()
    if size:
        yield b"".join(held) if size <= most else TooLong()


def _checked(lines: list[bytes], most: int) -> Iterable[Line]:
    """Only where chunks are larger than the bound can a line inside one be too long."""
    if most >= CHUNK:
        return lines
    return [line if len(line) <= most else TooLong() for line in lines]
