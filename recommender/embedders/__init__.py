"""The embedders by name: a new one is a line in `EMBEDDERS`, and is imported when asked for.

The class of an embedder takes its options, checked by itself, as the keyword ``options``. Further
embedders come from other distributions, see `recommender.embedders.plugins`; the names in
`EMBEDDERS` are not theirs to take.
"""

import importlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from recommender.embedders.options import base_name, parse_options
from recommender.embedders.plugins import (
    Plugin,
    find_plugin,
    installed_plugins,
    offered_names,
)
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError, PluginError, RemoteEmbedderError
from recommender.packages import require
from recommender.weights import learned_numbers
from recommender.weights_check import chosen, require_sound
from recommender.weights_store import Source, as_if_installed

DEFAULT_EMBEDDER = "musicnn"
# of an embedder that does not say: about that of the slowest of ours
UNKNOWN_COST = 20.0
EMBEDDERS = {
    "musicnn": "recommender.embedders.musicnn:Musicnn",
    "musicnn-vgg": "recommender.embedders.musicnn_vgg:MusicnnVgg",
    "mfcc": "recommender.embedders.mfcc:Mfcc",
    "panns": "recommender.embedders.panns:Panns",
    "openl3": "recommender.embedders.openl3:OpenL3",
    "clmr": "recommender.embedders.clmr:Clmr",
    "vggish": "recommender.embedders.vggish:Vggish",
    "yamnet": "recommender.embedders.yamnet:Yamnet",
    "soundnet": "recommender.embedders.soundnet:SoundNet",
    "wav2vec2": "recommender.embedders.wav2vec2:Wav2Vec2",
    "mooer": "recommender.embedders.mooer:Mooer",
    "max": "recommender.embedders.max_client:MaxClient",
    "max-local": "recommender.embedders.max_local:MaxLocal",
}


def create_embedder(name: str) -> Embedder:
    """Make the embedder called `name`; its weights are read at the first embedding.

    Parameters
    ----------
    name
        ``name[:key=value[,key=value]...]``, for example ``"musicnn:layer=mean_pool"``. The name in
        the embedder's specification makes the same embedder again.

    Raises
    ------
    InvalidParameterError
        No embedder has this name or these options; the message lists those there are.
    PluginError
        It belongs to another distribution, and is no use.
    """
    if plugin := _plugin(name):
        return plugin.create(parse_options(name))
    module, class_name = EMBEDDERS[base_name(name)].split(":")
    make = getattr(importlib.import_module(module), class_name)
    embedder: Embedder = make(options=parse_options(name))
    return embedder


def embedder_module(name: str) -> ModuleType:
    """The module of the embedder called `name`, options or not; it loads no network.

    Raises
    ------
    InvalidParameterError
        No embedder has this name.
    PluginError
        It belongs to another distribution, and cannot be imported.
    """
    if plugin := _plugin(name):
        return plugin.module()
    return importlib.import_module(EMBEDDERS[base_name(name)].partition(":")[0])


def weights_of(name: str) -> tuple[Source, ...]:
    """Every file of weights that the embedder called `name` may want; () when it needs none.

    Raises
    ------
    InvalidParameterError
        No embedder has this name.
    PluginError
        It belongs to another distribution, and cannot be imported.
    """
    weights = getattr(embedder_module(name), "WEIGHTS", ())
    # an embedder whose weights come with the package names their folder
    return weights if isinstance(weights, tuple) else ()


def needed_weights(name: str) -> tuple[tuple[Source, ...], ...]:
    """The files of weights that the embedder called `name` needs with these very options.

    Returns
    -------
    tuple
        For each file who publishes it: one :class:`Source`, or several of which one will do.

    Raises
    ------
    InvalidParameterError
        No embedder has this name or these options.
    PluginError
        It belongs to another distribution, and is no use.
    """
    # an embedder whose server is not named has its weights there, if anywhere
    with as_if_installed() as asked, suppress(RemoteEmbedderError):
        _ = create_embedder(name).spec
    return tuple(dict.fromkeys(asked))


def parameters_of(name: str) -> dict[str, int]:
    """Learned numbers of each file of weights of the embedder called `name`; {} without any."""
    module = embedder_module(name)
    weights = getattr(module, "WEIGHTS", ())
    if isinstance(weights, Path):
        # several embedders of the package share the folder
        return {m: learned_numbers(weights / f"{m}.safetensors") for m in module.MODELS}
    return {source.name: source.n_parameters for source in weights}


def cost_of(name: str) -> float | None:
    """Seconds for the same audio as a multiple of the default embedder's, None if never measured.

    Measured once, on one thread and with the default options; what a machine makes of it differs,
    and so do options.
    """
    cost: float | None = getattr(embedder_module(name), "COST", None)
    return cost


def patience_of(name: str) -> float:
    """How many times as long as the default embedder the one called `name` is waited for."""
    cost = cost_of(name)
    return UNKNOWN_COST if cost is None else max(1.0, cost)


def require_packages(name: str) -> None:
    """Make sure that what the embedder called `name` runs on is installed; imports none of it.

    Raises
    ------
    MissingPackageError
        A package is not there; with the command that brings it.
    InvalidParameterError
        No embedder has this name.
    """
    require(f"embedder={base_name(name)}", getattr(embedder_module(name), "REQUIRES", ()))


def require_sound_weights(name: str) -> None:
    """Make sure that all weights of the embedder called `name` are there and undamaged.

    They are read to the last byte, a second or two for the largest; no network is loaded.

    Raises
    ------
    WeightsError
        They are not; it names every such file, and the command that mends it.
    InvalidParameterError
        No embedder has this name or these options.
    PluginError
        It belongs to another distribution, and is no use.
    """
    require_sound(chosen(alternatives) for alternatives in needed_weights(name))


def sources() -> dict[str, Source]:
    """Every published file of weights by name; neither torch nor any weights are loaded.

    Plugins that are no use add nothing: what is wrong with them is for :func:`create_embedder` to
    say. Nor do they take the place of weights that are known already.
    """
    found = dict[str, Source]()
    for _, source in _offers():
        found.setdefault(source.name, source)
    return found


def wanted_by() -> dict[str, list[str]]:
    """For each name in :func:`sources` the embedders that may want the file."""
    known, users = sources(), dict[str, list[str]]()
    for name, source in _offers():
        if known[source.name] == source:
            users.setdefault(source.name, []).append(name)
    return users


def _offers() -> Iterator[tuple[str, Source]]:
    for name in embedder_names():
        with suppress(PluginError):
            yield from ((name, source) for source in weights_of(name))


def embedder_names() -> list[str]:
    """The names there are, refused ones too, those of plugins last; nothing is imported."""
    return list(dict.fromkeys([*EMBEDDERS, *(plugin.name for plugin in installed_plugins())]))


def claimants(name: str) -> list[str]:
    """Distributions that offer an embedder called `name`; those of a name of ours get nothing."""
    return [p.distribution for p in installed_plugins() if p.name == base_name(name)]


def _plugin(name: str) -> Plugin | None:
    """The plugin that is called `name`, None for an embedder of ours."""
    base = base_name(name)
    if base in EMBEDDERS:
        return None
    if plugin := find_plugin(base):
        return plugin
    offered = dict.fromkeys([*EMBEDDERS, *offered_names()])
    raise InvalidParameterError(f"embedder={name} is unknown; use one of {', '.join(offered)}")
