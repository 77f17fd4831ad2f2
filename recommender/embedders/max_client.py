"""max: vectors from an IBM MAX Audio Embedding Generator, a server that somebody else runs.

Nothing is sent anywhere unless the setting ``max_url`` names the server. Each window of 9.615 s is
sent as a mono 16-bit WAV file at 16 kHz, and comes back as ten rows of 128 whole numbers from 0 to
255, one for each 0.96 s: VGGish as it was before 2020, projected and quantised. They are scaled
back to [-2, 2], and their mean is the window's vector. The embedder ``max-local`` does the same
without a server.

The server names no version of its weights, so the space is that of the published model: replicas at
two addresses make one space, and whoever runs other weights behind an address must know it.

References
----------
.. [1] IBM, MAX Audio Embedding Generator: https://github.com/IBM/MAX-Audio-Embedding-Generator
"""

import hashlib
import io
import json
import wave
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders import max_local, vggish
from recommender.embedders.environment import ASKING, MAX_URL, max_url
from recommender.embedders.max_address import Address
from recommender.embedders.max_server import MaxServer
from recommender.embedders.max_windows import ROWS, as_pcm16, pooled, windows_spec
from recommender.embedders.options import Choices, complete
from recommender.embedding import EmbedderSpec, Frames
from recommender.weights_store import Source

NAME = ASKING
# not measured: the time is the server's. What max-local costs, and a good part for the way; above
# what `MaxServer` waits for at most, so that a slow server ends in its own words and not in a limit
COST = 4.0
FITNESS = max_local.FITNESS
CHOICES: Choices = {}
WEIGHTS: tuple[Source, ...] = ()
MODEL = "max-audio-embedding-generator 1.0.0"
# variables it does not work without, with a value that its spec can be read with
NEEDED = {MAX_URL: "http://localhost:5000"}
_MOST = 255


class MaxClient:
    """Embeds windows of 9.615 s into the mean of ten rows of 128 numbers from -2 to 2; no tags.

    Parameters
    ----------
    options
        It takes none.
    server
        Makes the server from its address.

    Raises
    ------
    InvalidParameterError
        Options that there are not.
    """

    def __init__(
        self,
        options: Mapping[str, str] | None = None,
        server: Callable[[Address], MaxServer] = MaxServer,
    ):
        complete(NAME, CHOICES, options or {})
        self._make_server = server

    @cached_property
    def spec(self) -> EmbedderSpec:
        """What it is; the server is not asked, but there must be one to ask.

        Raises
        ------
        RemoteEmbedderError
            The setting ``max_url`` is empty, or no address.
        """
        Address.parse(max_url())
        return windows_spec(NAME, hashlib.sha256(MODEL.encode()).hexdigest())

    def embed(self, windows: FloatArray) -> Frames:
        """Embed windows of shape (n_windows, 153840), samples in [-1, 1] at 16 kHz.

        A window that holds NaN, which no 16-bit file can, gives NaN without being sent.

        Raises
        ------
        InvalidParameterError
            The windows have another length.
        RemoteEmbedderError
            The server cannot be reached, does not answer as it should, or takes longer than
            :meth:`MaxServer.seconds_for` so many windows.
        """
        self.spec.require_windows(windows)
        vectors = np.full((len(windows), vggish.WIDTH), np.nan, np.float32)
        ask = self._server.asking(len(windows))
        for place in np.flatnonzero(~np.isnan(windows).any(axis=1)):
            answer = ask(_wav(windows[place]))
            vectors[place] = pooled(vggish.dequantised(self._levels(answer)))[0]
        return Frames.untagged(vectors)

    @cached_property
    def _server(self) -> MaxServer:
        return self._make_server(Address.parse(max_url()))

    def _levels(self, answer: bytes) -> FloatArray:
        try:
            return levels_in(answer)
        except ValueError as why:
            raise self._server.error(f"answers with {why}") from why


def levels_in(answer: bytes) -> FloatArray:
    """The rows that a server answered a window with.

    Parameters
    ----------
    answer
        JSON, ``{"status": "ok", "embedding": [[128 whole numbers from 0 to 255], ...]}``. The
        numbers may be written as integers or, as the server's own schema has it, as floats.

    Returns
    -------
    numpy.ndarray
        float32, shape (10, 128).

    Raises
    ------
    ValueError
        It is anything else; in words that complete "answers with".
    """
    try:
        said = json.loads(answer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("what is not JSON") from None
    if not isinstance(said, dict) or said.get("status") != "ok":
        raise ValueError("JSON whose status is not ok")
    rows = said.get("embedding")
    if not isinstance(rows, list) or len(rows) != ROWS:
        raise ValueError(f"no embedding of {ROWS} rows")
    if not all(isinstance(row, list) and len(row) == vggish.WIDTH for row in rows):
        raise ValueError(f"rows that are not {vggish.WIDTH} wide")
    if not all(_is_level(number) for row in rows for number in row):
        raise ValueError(f"numbers that are not whole, or not from 0 to {_MOST}")
    return np.array(rows, np.float32)


def _is_level(number: Any) -> bool:
    # type, not isinstance: True is an int
    return type(number) in (int, float) and 0 <= number <= _MOST and number == int(number)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _wav(window: FloatArray) -> bytes:
    """A mono file of 16-bit samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(vggish.SAMPLE_RATE)
        writer.writeframes(as_pcm16(window).astype(np.int16).tobytes())
    return file.getvalue()
