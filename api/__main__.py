"""The command line: ``python -m api``."""

import argparse
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import uvicorn

from recommender.errors import SoundalikeError
from recommender.settings import Settings

EXIT_FAILED, EXIT_USAGE = 1, 2
GRACEFUL_SECONDS = 20
_BACKLOG = 2048


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C and return the exit code: 0 ok, 1 failed, 2 usage."""
    _log_plainly()
    # searches of many requests run side by side; FAISS reads this when it is first imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        settings = Settings.from_environ(os.environ)
        options = _parser(settings).parse_args(arguments)
        chosen = {name: getattr(options, name) for name in ("data_dir", "host", "port")}
        return _serve(replace(settings, **chosen), options.insecure)
    except SoundalikeError as error:
        return _complain(str(error), EXIT_USAGE)
    except KeyboardInterrupt:
        return 0


def _parser(settings: Settings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m api", description="Serve recommendations over HTTP, and the page."
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=settings.data_dir,
        help="folder that the indexer publishes in (default: %(default)s)",
    )
    parser.add_argument(
        "--host", default=settings.host, help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=str(settings.port),
        help="port to listen on, 0 for any free one (default: %(default)s)",
    )
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="listen beyond this machine, although nobody is asked for a key",
    )
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:6]) > 65535:
        raise argparse.ArgumentTypeError(f"port={text} must be 0 to 65535")
    return int(text)


def _serve(settings: Settings, insecure: bool) -> int:
    try:
        listener = _listener(settings.host, settings.port)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a host name"
        return _complain(
            f"cannot listen on host={settings.host} port={settings.port}: {why}; "
            "choose another with --port or --host",
            EXIT_FAILED,
        )
    with listener:
        if not _is_loopback(listener):
            if not insecure:
                return _complain(
                    f"host={settings.host} is reachable from other machines and the service asks "
                    "nobody for a key; add --insecure if that is what you want",
                    EXIT_USAGE,
                )
            _complain(
                "warning: everyone who reaches this machine may use the service, under the names "
                f"in SOUNDALIKE_ALLOWED_HOSTS={settings.allowed_hosts}",
                0,
            )
        return _run(settings, listener)


def _run(settings: Settings, listener: socket.socket) -> int:
    # here and not above: what it imports reads OMP_NUM_THREADS
    from api.app import create_app

    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        # the other parser that uvicorn may find sets no bound to headers
        http="h11",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    listener.listen(_BACKLOG)
    _AnnouncingServer(config, _address(listener)).run([listener])
    return 0


class _AnnouncingServer(uvicorn.Server):
    """Says where it listens, once it does."""

    def __init__(self, config: uvicorn.Config, address: str):
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"Soundalike is listening on {self._address}\n")
        sys.stdout.flush()


def _listener(host: str, port: int) -> socket.socket:
    # the protocol is named because asyncio sets TCP_NODELAY only where it is: without, answers on
    # a kept-alive connection wait 40 ms for an acknowledgement
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _log_plainly() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # its own access log would show what people search for
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # it tells which of its builds it tried
    logging.getLogger("faiss").setLevel(logging.WARNING)


def _complain(message: str, exit_code: int) -> int:
    sys.stderr.write(f"python -m api: {message}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
