"""The audio of an Ogg file without its tags, told from the pages and not from the decoder.

Taggers rewrite the header pages and renumber the rest; libsndfile may then start a Vorbis stream
some samples earlier or later. The packets of the audio stay the same to the byte.

Source: RFC 3533, "The Ogg encapsulation format".
"""

from typing import BinaryIO, Protocol

_HEAD_BYTES = 27


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes in."""
        ...


def digest_packets(file: BinaryIO, digest: Digest) -> bool:
    """Feed the bodies of all audio pages to `digest`; False when the file is not whole pages.

    Header pages come first and are the ones whose granule position is 0, or -1 where a header
    packet goes on to the next page.
    """
    file.seek(0)
    in_audio = False
    while head := file.read(_HEAD_BYTES):
        if len(head) < _HEAD_BYTES or not head.startswith(b"OggS"):
            break
        sizes = file.read(head[26])
        body = file.read(sum(sizes))
        in_audio = in_audio or int.from_bytes(head[6:14], "little", signed=True) > 0
        if in_audio:
            digest.update(body)
    return in_audio
