"""Embedders of other distributions, found through entry points of the group `GROUP`.

Which there are is read from the metadata of what is installed; a plugin's code is imported when it
is asked for by its name. That code is trusted like the packages we depend on: whoever installed it
let it in. What is checked here is that a mistake in it gets a message that names its distribution.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint
from types import ModuleType

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.claims import claimed
from recommender.embedders.options import base_name
from recommender.embedders.plugin_faults import NAME, module_faults, spec_faults
from recommender.embedding import Embedder, EmbedderSpec, Frames
from recommender.errors import (
    InvalidParameterError,
    MissingPackageError,
    PluginError,
    WeightsError,
)

GROUP = "soundalike.embedders"
# what says by itself what is to be done
_EXPECTED = (MissingPackageError, WeightsError)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A distribution's claim to the name of an embedder.

    Attributes
    ----------
    name
        What the embedder is asked for by; of an invalid name what stands before its colon.
    distribution
        Name and version of the distribution.
    entry
        Where its class is: ``module:Class``.
    """

    name: str
    distribution: str
    entry: EntryPoint

    def fault(self, words: str) -> PluginError:
        """The error that says what is wrong with this plugin, and where it comes from."""
        return PluginError(
            f"embedder={self.name} of distribution={self.distribution} {words}; "
            "mend it or uninstall it"
        )

    def module(self) -> ModuleType:
        """The module of its class, the constants that an embedder's module may have checked.

        Raises
        ------
        PluginError
            It cannot be imported, or the constants are no use.
        """
        self._class()
        module = importlib.import_module(self.entry.module)
        if faults := "; ".join(module_faults(module, self.name)):
            raise self.fault(f"has wrong constants in {self.entry.module}: {faults}")
        return module

    def create(self, options: Mapping[str, str]) -> Embedder:
        """Make its embedder, whose specification and answers are checked as they are asked for.

        Raises
        ------
        InvalidParameterError
            The plugin refuses the options.
        PluginError
            It cannot be imported or made.
        """
        make = self._class()
        try:
            embedder = make(options=options)
        except _EXPECTED:
            raise
        except Exception as error:
            if options and isinstance(error, InvalidParameterError):
                raise
            raise self.fault(f"cannot be made with options={options}: {_said(error)}") from error
        if not callable(getattr(embedder, "embed", None)):
            raise self.fault(f"is no embedder: {self.entry.value} has no method embed")
        return _Checked(self, embedder)

    def _class(self) -> Callable[..., Embedder]:
        if not self.entry.value:
            raise self.fault("has an entry point that is no name = module:Class")
        try:
            found = self.entry.load()
        except (Exception, SystemExit) as error:
            # importing is running: anything at all may be raised
            raise self.fault(f"cannot load {self.entry.value}: {_said(error)}") from error
        if not isinstance(found, type):
            raise self.fault(f"is no embedder: {self.entry.value} is no class")
        return found


def installed_plugins() -> list[Plugin]:
    """Every claim that an installed distribution makes, by name; nothing is imported."""
    found = [Plugin(base_name(entry.name), owner, entry) for owner, entry in claimed(GROUP)]
    return sorted(found, key=lambda plugin: (plugin.name, plugin.distribution))


def offered_names() -> list[str]:
    """Names of plugins that may be asked for: valid ones, each with one claim to it."""
    plugins = installed_plugins()
    claims = Counter(plugin.name for plugin in plugins)
    return [p.name for p in plugins if claims[p.name] == 1 and NAME.fullmatch(p.entry.name)]


def find_plugin(name: str) -> Plugin | None:
    """The plugin that is called `name`, None when there is none; nothing is imported.

    Raises
    ------
    PluginError
        Several distributions claim the name, or it is not one that an embedder may have.
    """
    claims = [plugin for plugin in installed_plugins() if plugin.name == name]
    if not claims:
        return None
    if len(claims) > 1:
        owners = " and ".join(plugin.distribution for plugin in claims)
        raise PluginError(f"embedder={name} is claimed by {owners}; uninstall all but one")
    [plugin] = claims
    if not NAME.fullmatch(plugin.entry.name):
        raise plugin.fault(
            f"is called {plugin.entry.name}; only a-z, 0-9 and hyphens between may be in a name"
        )
    return plugin


class _Checked:
    """A plugin's embedder; what it says is checked, so that a mistake names its plugin."""

    def __init__(self, plugin: Plugin, embedder: Embedder):
        self._plugin, self._embedder = plugin, embedder

    @cached_property
    def spec(self) -> EmbedderSpec:
        """Its specification; raises PluginError when that makes no sense."""
        try:
            spec = self._embedder.spec
        except _EXPECTED:
            raise
        except Exception as error:
            raise self._plugin.fault(f"cannot say its spec: {_said(error)}") from error
        if faults := "; ".join(spec_faults(spec, self._plugin.name)):
            raise self._plugin.fault(f"has a wrong spec: {faults}")
        return spec

    def embed(self, windows: FloatArray) -> Frames:
        """Embed as the plugin does; raises PluginError when that does not fit the specification."""
        frames, spec = self._embedder.embed(windows), self.spec
        if not isinstance(frames, Frames):
            raise self._plugin.fault(f"embeds into {type(frames).__name__} instead of Frames")
        expected = [(len(windows), n) for n in (spec.frame_dimension, len(spec.tag_names))]
        shapes = [np.shape(frames.vectors), np.shape(frames.tags)]
        if shapes != expected:
            raise self._plugin.fault(f"embeds into shapes={shapes} instead of {expected}")
        return frames


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
