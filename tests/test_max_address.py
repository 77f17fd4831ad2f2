"""Addresses of a server for ``max``: what is one, what is not, and what is shown of them."""

import pytest

from recommender.embedders.environment import MAX_URL
from recommender.embedders.max_address import Address
from recommender.embedders.max_client import MaxClient
from recommender.errors import RemoteEmbedderError

LONGEST_LABEL = "a" * 63
NO_ADDRESSES = [
    "max:5000",
    "//max",
    "http://",
    "http://:5000",
    "http://me:secret@",
    "ftp://max",
    "file:///etc/passwd",
    "http://me:secret@max:port",
    "http://max:99999",
    "http://max:65536",
    "http://max:0",
    "http://max:-1",
    "http://[::1",
    "http://[::1]secret",
    "http://[::g]",
    "http://[v1.secret]",
    "http://[fe80::1%25lo]:5000",
    "http://max/a b?secret",
    " http://max",
    "http://max\t",
    "http://max\r\nX: secret",
    "http://max/\x00",
    "http://max\x7f",
    "http://max/?key=secret",
    "http://max/#secret",
    "http://max?",
    "http://müsik",
    "http://a..b:5000",
    "http://.max",
    "http://-max",
    "http://max%2e",
    "http://max,secret",
    f"http://{LONGEST_LABEL}a.de",
    "http://" + "a." * 127 + "de",
    # a password with what ends the host in it
    "http://me:123/secret@max",
    "http://me:123?secret@max",
    "http://me:123#secret@max",
    "http://me:123\\secret@max",
    "http://max/<secret>",
]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_refused_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    if "\x00" in url:  # no variable can hold it
        with pytest.raises(RemoteEmbedderError, match="characters"):
            Address.parse(url)
        return
    monkeypatch.setenv(MAX_URL, url)
    with pytest.raises(RemoteEmbedderError, match=f"{MAX_URL} .*set {MAX_URL}=http://HOST") as why:
        _ = MaxClient().spec
    assert "secret" not in str(why.value)
    assert "123" not in str(why.value)
    assert why.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "http://max",
        "https://max:8443/a",
        "http://[::1]:5000",
        "http://127.0.0.1:1",
        "http://max:65535/a",
        "http://max_1.local./a",
        f"http://{LONGEST_LABEL}.de",
        "http://xn--msik-0ra.example",
    ],
)
def test_an_address_is_shown_without_what_may_be_a_secret(url: str) -> None:
    assert str(Address.parse(url)) == url.removesuffix("/a")


@pytest.mark.parametrize(
    ("url", "port"), [("http://max", 80), ("https://max", 443), ("https://max:80", 80)]
)
def test_a_scheme_has_a_port_of_its_own(url: str, port: int) -> None:
    assert Address.parse(url).listens_on == port


def test_a_password_may_hold_anything_if_it_is_escaped() -> None:
    address = Address.parse("http://me:1%2F%40%3F%23%25@max/a/")
    assert address.credentials == "me:1/@?#%"
    assert (address.host, address.path) == ("max", "/a")


def test_neither_a_password_nor_a_path_is_shown() -> None:
    address = Address.parse("http://me:s%3Acret@max/k3y/")
    for text in (str(address), repr(address), address.authority):
        assert "cret" not in text
        assert "k3y" not in text
