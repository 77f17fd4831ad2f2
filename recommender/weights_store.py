"""The folder of weights that do not come with the package: converted, verified, found by name.

What is published in many formats is kept here in one, safetensors, beside a line of JSON that says
what it was made of. Nothing is ever downloaded unasked.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from safetensors.numpy import save

from recommender.errors import WeightsError
from recommender.files import replace_durably, sha256_of
from recommender.settings import PREFIX, Settings
from recommender.weights import Tensors, load_weights

VARIABLE = f"{PREFIX}WEIGHTS_DIR"
_COMMAND = "python -m indexer weights"
_NO_DIGEST = "0" * 64


def is_https(url: str) -> bool:
    """Whether nobody on the way can change what comes from there."""
    parts = urlsplit(url)
    return parts.scheme == "https" and bool(parts.hostname)


@dataclass(frozen=True, slots=True)
class Source:
    """Weights as their authors publish them.

    Attributes
    ----------
    name
        ``"panns-cnn14"``: what the commands know them by.
    url, file_name, n_bytes
        Where they are and what they are called; 0 bytes when the size is not known.
    digest
        ``"sha256:…"``, ``"sha512:…"``, ``"md5:…"``, ``"git-sha1:…"`` (of git's blob), or "" when
        none was ever published.
    licence, attribution, trained_on
        Terms of use, who is to be credited, and what the network was trained on.
    commercial
        Whether the licence allows commercial use.
    converter
        ``"module:function"``, which makes tensors of the published file.
    n_parameters
        Numbers that were learned, of those that are kept: neither those of a fixed front-end or a
        classifier that is left out, nor averages of batch normalisation.
    """

    name: str
    url: str
    file_name: str
    n_bytes: int
    digest: str
    licence: str
    attribution: str
    trained_on: str
    commercial: bool
    converter: str
    n_parameters: int

    @property
    def terms(self) -> tuple[str, ...]:
        """The flags without which these weights are neither fetched nor added."""
        licence = () if self.commercial else ("--accept-licence",)
        return licence if self.digest else (*licence, "--accept-unverified")

    @property
    def command(self) -> str:
        """What brings these weights, with the flags that will be asked for."""
        return command_for([self])


@dataclass(frozen=True, slots=True)
class Installed:
    """Weights in the folder: the safetensors file, its SHA-256, and the digest of what it is of."""

    path: Path
    sha256: str
    origin: str

    def load(self) -> Tensors:
        """The tensors; raises WeightsError unless the bytes are those that were installed."""
        return load_weights(self.path, self.sha256, "run: python -m indexer weights verify")

    def damage(self) -> str:
        """What is wrong with the file, in words; "" when it holds what was installed."""
        try:
            found = sha256_of(self.path)
        except OSError as error:
            return f"{self.path.name} cannot be read ({error.strerror})"
        return "" if found == self.sha256 else f"sha256={found} should be {self.sha256}"


# what `installed` was asked for while it pretends; of this thread and context alone
_Asked = list[tuple[Source, ...]]
_asked: ContextVar[_Asked | None] = ContextVar("asked", default=None)


def command_for(sources: Iterable[Source]) -> str:
    """What brings all of these: one download, and a line for each that is not there by https."""
    wanted = list(sources)
    fetched = [source for source in wanted if is_https(source.url)]
    # in the order of the files, each flag once
    flags = dict.fromkeys(flag for source in fetched for flag in source.terms)
    commands = (
        [" ".join([_COMMAND, "fetch", *(s.name for s in fetched), *flags])] if fetched else []
    )
    commands += [
        " ".join([_COMMAND, "add", source.name, "FILE", *source.terms])
        for source in wanted
        if source not in fetched
    ]
    return " and ".join(commands)


def weights_dir() -> Path:
    """Where weights are kept, absolute: the setting ``weights_dir``.

    Raises
    ------
    InvalidParameterError
        `VARIABLE` is set and empty.
    """
    said = {name: os.environ[name] for name in (VARIABLE,) if name in os.environ}
    return Settings.from_environ(said).weights_dir.expanduser().absolute()


def weights_environment() -> dict[str, str]:
    """Variables that let a child process find the same weights."""
    return {VARIABLE: str(weights_dir())}


def is_installed(source: Source) -> bool:
    """Whether weights were stored; says nothing about damage."""
    return _record(source).exists()


def installed(source: Source, *alternatives: Source) -> Installed:
    """Find weights; the tensors are not read yet.

    Parameters
    ----------
    source
        What they are.
    alternatives
        The same weights as others publish them: the first that is there stands in for `source`.

    Raises
    ------
    WeightsError
        They are not there, or what says so is damaged; with the command that brings them.
    """
    asked = _asked.get()
    if asked is not None:
        asked.append((source, *alternatives))
        return Installed(_home(source, _NO_DIGEST), _NO_DIGEST, "")
    source = next(filter(is_installed, (source, *alternatives)), source)
    record = _record(source)
    try:
        said = json.loads(record.read_text(encoding="utf-8"))
        sha256, origin = str(said["sha256"]), str(said["origin"])
        # part of a path, so nothing but a digest will do
        if len(bytes.fromhex(sha256)) != hashlib.sha256().digest_size:
            raise ValueError("no SHA-256")
    except FileNotFoundError as error:
        raise WeightsError(
            f"weights={source.name} are not in {record.parent}; run: {source.command}"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"weights={source.name} cannot be found: {record.name} is damaged; "
            f"run: {source.command}"
        ) from error
    return Installed(_home(source, sha256), sha256, origin)


def store(source: Source, tensors: Tensors, origin: str) -> Installed:
    """Keep converted weights; a crash leaves the old ones or the new ones.

    Parameters
    ----------
    source
        What they are.
    tensors
        float32 tensors by name, as the embedder expects them.
    origin
        Digest of the file that they were made of.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    folder = weights_dir()
    folder.mkdir(parents=True, exist_ok=True)
    content = save(tensors)
    sha256 = hashlib.sha256(content).hexdigest()
    kept = Installed(_home(source, sha256), sha256, origin)
    # the digest in its name keeps it apart from older weights until the record names it
    replace_durably(kept.path, content)
    facts = asdict(source) | {"sha256": sha256, "origin": origin}
    replace_durably(_record(source), json.dumps(facts, indent=1) + "\n")
    _forget_older(source, kept)
    return kept


@contextmanager
def as_if_installed() -> Iterator[_Asked]:
    """Let :func:`installed` find whatever it is asked for, so that any spec can be read.

    Yields
    ------
    list
        What it was asked for so far: tuples of a source and its alternatives.
    """
    asked: _Asked = []
    token = _asked.set(asked)
    try:
        yield asked
    finally:
        _asked.reset(token)


def _record(source: Source) -> Path:
    return weights_dir() / f"{source.name}.json"


def _home(source: Source, sha256: str) -> Path:
    return weights_dir() / f"{source.name}.{sha256[:16]}.safetensors"


def _forget_older(source: Source, kept: Installed) -> None:
    digits = "[0-9a-f]" * 16
    for path in kept.path.parent.glob(f"{source.name}.{digits}.safetensors"):
        if path != kept.path:
            path.unlink(missing_ok=True)
