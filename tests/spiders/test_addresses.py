"""No page and no redirect makes us read what only this machine or its network can reach."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.addresses import Allowed, PublicNamesOnly, is_public, literal_address, name_was_refused, refusal

NOBODY = Allowed()


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:93.184.215.14",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "4000::1",
        "no address",
        "",
    ],
)
def test_an_address_that_is_not_everybodys_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"]
)
def test_an_ordinary_address_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_what_the_standard_library_calls_private_is_never_public(address: Any) -> None:
    if is_public(address):
        assert address.is_global
        assert not address.is_private
        assert not address.is_multicast


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "127.0.0.1.",
        "[::1]",
        "::1",
        "0",
    ],
)
def test_every_spelling_of_a_loopback_address_is_recognised(host: str) -> None:
    literal = literal_address(host)
    assert literal is not None
    assert not is_public(literal)


@pytest.mark.parametrize(
    "host", ["shop.example", "1and1.example", "deadbeef.example", "", "127.0.0.1.nip.io", "1.2.3.4.5"]
)
def test_a_name_is_no_literal_address(host: str) -> None:
    assert literal_address(host) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1:8080/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://db.localhost/",
        "http://169.254.169.254/latest/meta-data/",
        "http://user@shop.example/",
        "http://user:secret@shop.example/",
        "https://:@shop.example/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "data:text/html,x",
        "http://",
        "http://[::1",
        "http://shop.example:99999/",
        "",
    ],
)
def test_what_must_not_be_asked_is_refused_in_words(url: str) -> None:
    assert refusal(url, NOBODY)


def test_the_words_of_a_refusal_never_repeat_a_password() -> None:
    assert "secret" not in refusal("http://user:secret@shop.example/", NOBODY)


def test_a_public_host_may_be_asked() -> None:
    assert refusal("https://shop.example/reviews?page=2", NOBODY) == ""


def test_a_host_of_ones_own_may_be_asked_by_name_by_address_and_by_port() -> None:
    assert refusal("http://127.0.0.1:8080/", Allowed(["127.0.0.1"])) == ""
    assert refusal("http://127.0.0.1:8080/", Allowed(["127.0.0.1:8080"])) == ""
    assert refusal("http://127.0.0.1:8081/", Allowed(["127.0.0.1:8080"]))
    assert refusal("http://[::1]:8080/", Allowed(["[::1]:8080"])) == ""
    assert refusal("http://localhost/", Allowed(["LOCALHOST."])) == ""
    assert refusal("http://evil.localhost/", Allowed(["localhost"]))


def test_ones_own_host_is_still_not_asked_with_a_user_name_or_over_ftp() -> None:
    own = Allowed(["127.0.0.1"])
    assert refusal("http://me@127.0.0.1/", own)
    assert refusal("ftp://127.0.0.1/", own)


class _Receiver:
    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.ended = asyncio.Event()

    def resolutionBegan(self, resolution: Any) -> None:
        pass

    def addressResolved(self, address: Any) -> None:
        self.hosts.append(address.host)

    def resolutionComplete(self) -> None:
        self.ended.set()


def resolved(name: str, answers: list[str], allowed: Allowed, timeout: float = 5.0) -> list[str]:
    async def ask() -> list[str]:
        loop = asyncio.get_running_loop()

        async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            if not answers:
                raise socket.gaierror("no such name")
            if answers == ["never"]:
                await asyncio.sleep(60)
            return [
                (socket.AF_INET6, 1, 6, "", (one, port, 0, 0))
                if ":" in one
                else (socket.AF_INET, 1, 6, "", (one, port))
                for one in answers
            ]

        loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign,assignment]
        receiver = _Receiver()
        PublicNamesOnly(None, allowed, timeout).resolveHostName(receiver, name, 80)
        await asyncio.wait_for(receiver.ended.wait(), 5)
        return receiver.hosts

    return asyncio.run(ask())


def test_only_the_public_addresses_of_a_name_are_connected_to() -> None:
    assert resolved("mixed.example", ["10.0.0.1", "93.184.215.14", "::1"], NOBODY) == ["93.184.215.14"]
    assert not name_was_refused("mixed.example")


def test_a_name_with_private_addresses_only_has_none_and_is_remembered_as_refused() -> None:
    assert resolved("Rebound.example", ["127.0.0.1", "fe80::1"], NOBODY) == []
    assert name_was_refused("rebound.example.")


def test_ones_own_host_may_resolve_to_anything() -> None:
    assert resolved("intra.example", ["10.0.0.1"], Allowed(["intra.example"])) == ["10.0.0.1"]


def test_a_name_that_does_not_exist_has_no_address_and_was_not_refused() -> None:
    assert resolved("nowhere.example", [], NOBODY) == []
    assert not name_was_refused("nowhere.example")


def test_a_resolver_that_never_answers_is_given_up() -> None:
    assert resolved("slow.example", ["never"], NOBODY, timeout=0.05) == []
