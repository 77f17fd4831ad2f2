"""The command line: ``python -m api``."""

import argparse
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from api.serving import log_plainly, serve
from api.supervisor import Supervisor
from recommender.errors import SoundalikeError
from recommender.listeners_address import kind_of
from recommender.settings import Settings

EXIT_FAILED, EXIT_USAGE = 1, 2
MAX_WORKERS = 256


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C and return the exit code: 0 ok, 1 failed, 2 usage."""
    log_plainly()
    # searches of many requests run side by side; FAISS reads this when it is first imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        settings = Settings.from_environ(os.environ)
        options = _parser(settings).parse_args(arguments)
        chosen = vars(options).copy()
        insecure = chosen.pop("insecure")
        if settings.listeners_url:
            kind_of(settings.listeners_url)
        return _serve(replace(settings, **chosen), insecure)
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
        "--workers",
        dest="service_workers",
        type=_workers,
        default=str(settings.service_workers),
        metavar="N",
        help="processes that answer requests, at most one a core (default: %(default)s)",
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


def _workers(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"workers={text} must be 1 to {MAX_WORKERS}")
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
    def announce() -> None:
        sys.stdout.write(f"Soundalike is listening on {_address(listener)}\n")
        sys.stdout.flush()

    if settings.service_workers == 1:
        answered = serve(settings, listener, announce)
    else:
        answered = Supervisor(settings, listener, announce).run()
    return 0 if answered else EXIT_FAILED


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


def _complain(message: str, exit_code: int) -> int:
    sys.stderr.write(f"python -m api: {message}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
