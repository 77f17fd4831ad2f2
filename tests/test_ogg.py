import hashlib
import io
import struct

import pytest

from recommender.ogg import digest_packets


def page(position: int, body: bytes, number: int = 0) -> bytes:
    sizes = [255] * (len(body) // 255) + [len(body) % 255]
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, 0, position, 1, number, 0, len(sizes))
    return head + bytes(sizes) + body


def digest(content: bytes) -> tuple[bool, str]:
    found = hashlib.sha256()
    return digest_packets(io.BytesIO(content), found), found.hexdigest()


AUDIO = page(4096, b"first" * 100, 5) + page(8192, b"second", 6)


def test_only_the_audio_pages_count() -> None:
    _, found = digest(page(0, b"head") + page(0, b"tags") + AUDIO)
    assert found == hashlib.sha256(b"first" * 100 + b"second").hexdigest()


def test_other_headers_and_other_page_numbers_change_nothing() -> None:
    renumbered = page(4096, b"first" * 100, 8) + page(8192, b"second", 9)
    spanning = page(0, b"head") + page(-1, b"t" * 600) + page(0, b"longer tags")
    assert digest(spanning + renumbered) == digest(page(0, b"head") + AUDIO)


def test_other_audio_has_another_digest() -> None:
    assert digest(page(0, b"head") + AUDIO) != digest(page(0, b"head") + page(4096, b"third"))


@pytest.mark.parametrize("content", [b"", b"OggS", b"no pages at all" * 9, page(0, b"head only")])
def test_without_audio_pages_it_says_so(content: bytes) -> None:
    assert digest(content)[0] is False
