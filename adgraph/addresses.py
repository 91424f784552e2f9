"""What an address of the network leads to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(address: str) -> bool:
    """Whether an http address leads to this machine, so that nobody in between can change what it answers.

    >>> is_loopback("http://127.0.0.1:9000/keys"), is_loopback("http://127.0.0.1.evil.example/")
    (True, False)
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        return parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether a host is named by its number, so that no name server has a say in where it is.

    >>> is_address("192.168.0.7"), is_address("::1"), is_address("localhost.evil.example")
    (True, True, False)
    """
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
