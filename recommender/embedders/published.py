"""What embedders have in common whose weights others publish; a plugin needs none of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.once import Once
from recommender.embedders.options import Choices, complete, full_name
from recommender.embedding import BATCH_WINDOWS, EmbedderSpec, Frames

_Network = TypeVar("_Network")


class PublishedEmbedder(ABC, Generic[_Network]):
    """Embeds windows with a network that is loaded at the first of them; it predicts no tags.

    Parameters
    ----------
    options
        Values of `choices`.

    Attributes
    ----------
    base_name, choices
        The embedder's name without options, and the options that there are.
    group
        Windows that are embedded at once, which bounds what they need of memory.

    Raises
    ------
    InvalidParameterError
        Options that there are not.
    """

    base_name: ClassVar[str]
    choices: ClassVar[Choices]
    group: ClassVar[int] = BATCH_WINDOWS

    def __init__(self, options: Mapping[str, str] | None = None):
        self._options = complete(self.base_name, self.choices, options or {})
        self._loaded = Once(self._load)

    @cached_property
    def spec(self) -> EmbedderSpec:
        """What it is; reads the records of the installed weights, not the weights.

        Raises
        ------
        WeightsError
            The weights are not installed; the message says how they are.
        """
        return self._describe(full_name(self.base_name, self.choices, self._options))

    def embed(self, windows: FloatArray) -> Frames:
        """Embed windows of shape (n_windows, spec.window_samples), samples in [-1, 1].

        A window that holds NaN gives NaN and leaves the others alone.

        Raises
        ------
        InvalidParameterError
            The windows have another length.
        WeightsError
            The weights are missing or not those that were installed.
        ModuleNotFoundError
            What the network runs on, which is optional, is not installed.
        """
        self.spec.require_windows(windows)
        network = self._loaded()
        vectors = np.empty((len(windows), self.spec.frame_dimension), np.float32)
        for first in range(0, len(windows), self.group):
            some = slice(first, first + self.group)
            vectors[some] = self._vectors(network, windows[some])
        return Frames.untagged(vectors)

    @abstractmethod
    def _describe(self, name: str) -> EmbedderSpec:
        """The specification, under the name with its options."""

    @abstractmethod
    def _load(self) -> _Network:
        """The network; what it runs on is large and optional, so it is imported here."""

    @abstractmethod
    def _vectors(self, network: _Network, windows: FloatArray) -> FloatArray:
        """Vectors of 1 to `group` windows, shape (n_windows, spec.frame_dimension)."""
