"""Settings: read once from the environment, checked, and handed down."""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from recommender.errors import InvalidParameterError

PREFIX = "SOUNDALIKE_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set by environment, each with the prefix ``SOUNDALIKE_``.

    The flags of the two commands outrank the environment.
    """

    data_dir: Path = field(
        default=Path("data"), metadata={"help": "Folder of the library and the generations."}
    )
    embedder: str = field(default="musicnn", metadata={"help": "Embedder of the indexer."})
    workers: int = field(
        default=0, metadata={"range": (0, 1024), "help": "Processes that embed; 0 for one a core."}
    )
    weights_dir: Path = field(
        default=Path("~/.local/share/soundalike/weights"),
        metadata={"help": "Folder of the weights that do not come with the package."},
    )
    max_url: str = field(
        default="",
        # it may hold a password
        repr=False,
        metadata={"help": "Address of an IBM MAX Audio Embedding Generator, for embedder max."},
    )
    host: str = field(default="127.0.0.1", metadata={"help": "Address the service listens on."})
    port: int = field(
        default=8000, metadata={"range": (0, 65535), "help": "Port the service listens on."}
    )
    service_workers: int = field(
        default=1,
        metadata={"range": (1, 256), "help": "Processes that answer requests, one a core at most."},
    )
    allowed_hosts: str = field(
        default="localhost,127.0.0.1,[::1]",
        metadata={"help": "Host names the service answers to, with commas between; * for any."},
    )
    serve_audio: bool = field(
        default=True, metadata={"help": "Whether GET /tracks/{id}/audio hands out files."}
    )
    show_paths: bool = field(
        default=False, metadata={"help": "Whether playlists may name the server's own paths."}
    )
    max_clip_bytes: int = field(
        default=32 * 2**20,
        metadata={"range": (1024, 2**40), "help": "Largest clip that may be uploaded, in bytes."},
    )
    clip_workers: int = field(
        default=2,
        metadata={"range": (1, 64), "help": "Processes that decode and embed uploaded clips."},
    )
    poll_seconds: float = field(
        default=2.0,
        metadata={
            "range": (0.05, 86400),
            "help": "How often the service looks for a new generation.",
        },
    )

    listeners_url: str = field(
        default="",
        # it may hold a password
        repr=False,
        metadata={"help": "Database of listeners; empty for listeners.db in the data folder."},
    )
    retention_days: float = field(
        default=0.0,
        metadata={"range": (0, 36500), "help": "For how long events are kept; 0 for ever."},
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from environment variables.

        Raises
        ------
        InvalidParameterError
            A value does not parse, is out of range, or the variable is no setting.
        """
        known = {PREFIX + f.name.upper(): f for f in fields(cls)}
        unknown = sorted(k for k in environ if k.startswith(PREFIX) and k not in known)
        if unknown:
            raise InvalidParameterError(
                f"{unknown[0]} is not a setting; settings are {', '.join(sorted(known))}"
            )
        values = {f.name: _parse(k, environ[k], f) for k, f in known.items() if k in environ}
        return cls(**values)


def _parse(name: str, text: str, setting: Field[Any]) -> Any:
    if not text.strip():
        raise InvalidParameterError(f"{name} is empty; give it a value or unset it")
    kind: Any = setting.type
    try:
        if kind is bool:
            return {"1": True, "true": True, "0": False, "false": False}[text.strip().lower()]
        value = kind(text)
    except (KeyError, ValueError) as error:
        raise InvalidParameterError(
            f"{name}={text} is not a valid {kind.__name__}; see docs/settings.md"
        ) from error
    if kind in (int, float):
        least, most = setting.metadata["range"]
        if not least <= value <= most:
            raise InvalidParameterError(f"{name}={text} must be {least:g} to {most:g}")
    return value
