"""From a published file to stored weights: its digest is checked first, then it is converted.

A file is parsed only when its digest is the published one, or when the caller accepts that none
ever was. Converters read data and run nothing that a file holds, so they run in this process.
"""

import hashlib
import importlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from recommender.errors import MissingPackageError, WeightsError
from recommender.packages import needs
from recommender.weights import Tensors
from recommender.weights_store import Installed, Source, store

Converter = Callable[[Path], Tensors]
_BLOCK_BYTES = 1 << 20


def check_terms(source: Source, *, accept_licence: bool, accept_unverified: bool) -> None:
    """Raise WeightsError when the caller has not accepted what these weights ask of him.

    Parameters
    ----------
    source
        The weights.
    accept_licence
        Whether a licence without commercial use is accepted.
    accept_unverified
        Whether a file is accepted whose digest was never published.
    """
    if not (source.commercial or accept_licence):
        raise WeightsError(
            f"licence={source.licence} of weights={source.name} forbids commercial use; "
            "add --accept-licence if that suits you"
        )
    if not (source.digest or accept_unverified):
        raise WeightsError(
            f"weights={source.name} have no published digest to verify them by; "
            "add --accept-unverified to trust the file as it comes"
        )


def converter_of(source: Source) -> Converter:
    """The function that reads the published format; what it needs is imported.

    Raises
    ------
    MissingPackageError
        A package that it needs is not installed.
    """
    module, name = source.converter.split(":")
    try:
        convert: Converter = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        raise MissingPackageError(needs(f"converting weights={source.name}", [missing])) from error
    return convert


def take_in(source: Source, path: Path) -> Installed:
    """Verify a file, convert it and store it; the file itself stays as it is.

    Raises
    ------
    WeightsError
        It is not the published file, or cannot be converted.
    OSError
        It cannot be read, or the weights folder cannot be written to.
    """
    convert = converter_of(source)
    origin = verified(source, path)
    return store(source, _converted(source, convert, path), origin)


def verified(source: Source, path: Path) -> str:
    """Check size and digest of a published file, as far as they are known.

    Returns
    -------
    str
        ``"sha256:…"`` of the file, whatever kind of digest was published.

    Raises
    ------
    WeightsError
        It is another file.
    OSError
        It cannot be read.
    """
    n_bytes = path.stat().st_size
    if source.n_bytes and n_bytes != source.n_bytes:
        raise WeightsError(
            f"n_bytes={n_bytes} of {path.name} should be {source.n_bytes} for "
            f"weights={source.name}; get it from {source.url}"
        )
    kind, _, wanted = source.digest.partition(":")
    found = file_digests(path, {kind or "sha256", "sha256"})
    if wanted and found[kind] != wanted.lower():
        raise WeightsError(
            f"{kind}={found[kind]} of {path.name} should be {wanted} for "
            f"weights={source.name}; get it from {source.url}"
        )
    return f"sha256:{found['sha256']}"


def file_digests(path: Path, kinds: set[str]) -> dict[str, str]:
    """Digests of a file in hexadecimal, all in one reading.

    Parameters
    ----------
    path
        The file.
    kinds
        Of ``"sha256"``, ``"sha512"``, ``"md5"`` and ``"git-sha1"``.
    """
    # none of them protects a secret: what is compared was published beside the file
    digests = {
        kind: hashlib.new(kind.removeprefix("git-"), usedforsecurity=False) for kind in kinds
    }
    with path.open("rb") as file:
        if "git-sha1" in digests:
            digests["git-sha1"].update(b"blob %d\0" % os.fstat(file.fileno()).st_size)
        while block := file.read(_BLOCK_BYTES):
            for digest in digests.values():
                digest.update(block)
    return {kind: digest.hexdigest() for kind, digest in digests.items()}


def as_found(source: Source, path: Path) -> Source:
    """The source in the form of a local file.

    That of a ``.gz`` which was unpacked, as the package openl3 does, is known by its name: the
    published size and digest say nothing of it.
    """
    if path.name != source.file_name and path.name == source.file_name.removesuffix(".gz"):
        return replace(source, file_name=path.name, n_bytes=0, digest="")
    return source


def found_elsewhere(source: Source) -> Path | None:
    """Where another package has left the published file; nothing but its name and size is read."""
    for path in _places(source):
        n_bytes = as_found(source, path).n_bytes
        if path.is_file() and (not n_bytes or path.stat().st_size == n_bytes):
            return path
    return None


def _places(source: Source) -> list[Path]:
    """panns-inference, openl3, torch hub and the Hugging Face cache, in that order."""
    home, environ = Path.home(), os.environ
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    torch = Path(environ.get("TORCH_HOME") or cache / "torch")
    hub = Path(environ.get("HF_HOME") or cache / "huggingface") / "hub"
    hub = Path(environ.get("HF_HUB_CACHE") or hub)
    folders = [home / "panns_data", *_package_folders("openl3"), torch / "hub" / "checkpoints"]
    folders += [*torch.glob("hub/*"), *sorted(hub.glob(f"{_hub_folder(source)}/snapshots/*"))]
    names = dict.fromkeys((source.file_name, source.file_name.removesuffix(".gz")))
    return [folder / name for folder in folders for name in names]


def _package_folders(name: str) -> list[Path]:
    """Folders of an installed package, which is not imported: some download when they are."""
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []


def _hub_folder(source: Source) -> str:
    """``models--owner--name`` for ``…/owner/name/resolve/revision/file``; else matches nothing."""
    parts = urlsplit(source.url).path.strip("/").split("/")
    is_hub = len(parts) > 3 and parts[2] == "resolve"
    return f"models--{parts[0]}--{parts[1]}" if is_hub else "no-such-folder"


def _converted(source: Source, convert: Converter, path: Path) -> Tensors:
    try:
        tensors = convert(path)
    except (WeightsError, OSError, MemoryError):
        raise
    except Exception as error:
        # parsers raise anything at all for a file of another kind
        raise WeightsError(
            f"weights={source.name} cannot be converted from {path.name}: "
            f"{type(error).__name__}: {error}"
        ) from error
    for name, tensor in sorted(tensors.items()):
        if tensor.dtype != np.float32 or not np.isfinite(tensor).all():
            raise WeightsError(
                f"tensor={name} of weights={source.name} is not finite float32; "
                f"{path.name} is not what its converter expects"
            )
    return tensors
