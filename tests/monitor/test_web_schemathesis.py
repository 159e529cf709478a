"""Does schemathesis, which makes up requests from the OpenAPI document, find a server error or an undocumented answer?

It runs apart from the suite, in an environment of its own that uv makes: its packages are nobody's dependency.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra `web` is not installed")

from dashboard import TOKENS, served, web_config
from shelf import add_case, add_run

from monitor.config_web import Role
from storage.store import Store

pytestmark = pytest.mark.slow

PACKAGE = "schemathesis==4.32.5"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
UV = Path(sys.executable).with_name("uv")


def uv(folder: Path, *words: str, within: float) -> subprocess.CompletedProcess[str]:
    command = [str(UV), "tool", "run", "--from", PACKAGE, "schemathesis", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=within, check=False, cwd=folder)


@pytest.mark.parametrize("role", list(Role))
def test_no_request_made_up_from_the_document_is_a_fault_of_ours(
    sqlite_store: Store, tmp_path: Path, role: Role
) -> None:
    if not UV.exists() or uv(tmp_path, "--version", within=120).returncode:
        pytest.skip(f"{PACKAGE} cannot be had: it needs uv and a package index")
    now = datetime.now(UTC)
    for number in range(5):
        add_case(sqlite_store, now, f"They lost my parcel {number}", author="Maya")
    add_run(sqlite_store, now)
    with served(web_config(tmp_path), sqlite_store) as port:
        done = uv(
            tmp_path,
            "run",
            f"http://127.0.0.1:{port}/api/v1/openapi.json",
            "-H",
            f"Authorization: Bearer {TOKENS[role]}",
            "--phases=coverage,fuzzing",
            "--max-examples=25",
            "--max-time=20",
            f"--checks={CHECKS}",
            "--no-color",
            within=120,
        )
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-1_000:]
    assert "Tested: 7" in done.stdout
