"""Do the tests themselves stay on this machine?"""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

GUARDED = """
import socket, pytest

def test_it_is_stopped():
    with socket.socket() as outside, pytest.raises(OSError, match="127.0.0.1 only"):
        outside.connect(("192.0.2.1", 80))
"""


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_a_test_that_leaves_the_machine_fails_even_if_it_hides_it(pytester: pytest.Pytester) -> None:
    pytester.makeconftest((Path(__file__).parents[1] / "conftest.py").read_text())
    pytester.makepyfile(GUARDED)
    result = pytester.runpytest("-p", "no:randomly")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*tried to leave the machine*192.0.2.1*"])
