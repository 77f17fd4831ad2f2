"""Settings: read from the environment, checked, with no value that surprises."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from recommender.errors import InvalidParameterError
from recommender.settings import PREFIX, Settings


def test_without_an_environment_everything_has_its_default() -> None:
    assert Settings.from_environ({}) == Settings()
    assert Settings().host == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("DATA_DIR", "/srv/a b", Path("/srv/a b")),
        ("EMBEDDER", "other", "other"),
        ("WORKERS", "3", 3),
        ("SERVICE_WORKERS", "4", 4),
        ("PORT", "0", 0),
        ("HOST", "::1", "::1"),
        ("SERVE_AUDIO", "true", True),
        ("SERVE_AUDIO", "1", True),
        ("SERVE_AUDIO", "FALSE", False),
        ("SERVE_AUDIO", " 0 ", False),
        ("POLL_SECONDS", "0.5", 0.5),
        ("MAX_CLIP_BYTES", "1048576", 2**20),
        ("MAX_URL", "http://max:5000", "http://max:5000"),
    ],
)
def test_a_variable_sets_its_setting_and_no_other(name: str, text: str, value: object) -> None:
    settings = Settings.from_environ({PREFIX + name: text})
    assert getattr(settings, name.lower()) == value
    others = {f.name for f in fields(Settings)} - {name.lower()}
    assert all(getattr(settings, other) == getattr(Settings(), other) for other in others)


def test_variables_of_other_programs_are_left_alone() -> None:
    assert Settings.from_environ({"PORT": "x", "soundalike_port": "x", "PATH": ""}) == Settings()


def test_a_variable_that_is_no_setting_is_refused_with_the_list_of_settings() -> None:
    with pytest.raises(InvalidParameterError, match=r"SOUNDALIKE_PROT is not a setting") as raised:
        Settings.from_environ({"SOUNDALIKE_PROT": "1"})
    for field in fields(Settings):
        assert PREFIX + field.name.upper() in str(raised.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("PORT", "8000.5"),
        ("PORT", "-1"),
        ("WORKERS", "-1"),
        ("SERVICE_WORKERS", "0"),
        ("WORKERS", "1e3"),
        ("SERVE_AUDIO", "yes please"),
        ("SERVE_AUDIO", "2"),
        ("POLL_SECONDS", "nan"),
        ("POLL_SECONDS", "inf"),
        ("POLL_SECONDS", "-0.1"),
        ("POLL_SECONDS", "soon"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"SOUNDALIKE_{name}={text}"):
        Settings.from_environ({PREFIX + name: text})


@pytest.mark.parametrize("name", [f.name.upper() for f in fields(Settings)])
@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_value_is_refused(name: str, text: str) -> None:
    # an empty host would listen to the whole network, an empty folder would be the current one
    with pytest.raises(InvalidParameterError, match=f"SOUNDALIKE_{name} is empty"):
        Settings.from_environ({PREFIX + name: text})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize("field", fields(Settings), ids=lambda f: f.name)
def test_every_setting_has_a_line_of_help(field: object) -> None:
    text = field.metadata["help"]  # type: ignore[attr-defined]
    assert text.endswith(".")
    assert "\n" not in text
