"""``python -m api``: starting, stopping, and refusing to start."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from api.__main__ import main
from tests.builders import publish_entries
from tests.fakes import ids_of, small_catalog

ROOT = Path(__file__).parents[1]


def command(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "api", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_asked_to_stop(tmp_path: Path, stop: signal.Signals) -> None:
    publish_entries(tmp_path, small_catalog())
    with command("--data-dir", str(tmp_path), "--port", "0") as process:
        assert process.stdout
        line = process.stdout.readline()
        found = re.fullmatch(r"Soundalike is listening on (http://127\.0\.0\.1:\d+)\n", line)
        assert found, line
        assert ids_of(httpx.get(f"{found[1]}/similar", params={"track_id": "a0"}))
        process.send_signal(stop)
        out, log = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "GET /similar 200" in log
    assert "track_id" not in log
    assert "Traceback" not in log


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--port", port]) == 1
    assert f"port={port}" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_listening_beyond_this_machine_must_be_asked_for(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--host", host, "--port", "0"]) == 2
    assert "--insecure" in capsys.readouterr().err


def test_a_host_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", "256.256.256.256"]) == 1
    assert "256.256.256.256" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [("SOUNDALIKE_PORT", "x"), ("SOUNDALIKE_PROT", "1"), ("SOUNDALIKE_CLIP_WORKERS", "0")],
)
def test_bad_settings_are_usage_errors(
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert main(["--port", "0"]) == 2
    assert name.removeprefix("SOUNDALIKE_").lower() in capsys.readouterr().err.lower()


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "65536"), ("CLIP_WORKERS", "0"), ("POLL_SECONDS", "0")]
)
def test_a_setting_beyond_its_range_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"SOUNDALIKE_{name}", value)
    assert main([]) == 2
