"""Servers that speak S3: versitygw, which checks signatures and keeps what a bucket promises, and moto's, which is a model of one.

versitygw is there where `make s3` has built it, or where it is on the PATH.
"""

import asyncio
import shutil
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import boto3
import pytest
from asking import free_port, listens
from pydantic import SecretStr

KEY, SECRET = "tailrace", "correct-horse-battery"
Kind = Literal["moto", "versitygw"]


def versitygw() -> str | None:
    """Where the program is."""
    beside = Path(sys.executable).with_name("versitygw")
    return str(beside) if beside.exists() else shutil.which("versitygw")


def best() -> Kind:
    """The nearest to a real one that is here."""
    return "moto" if versitygw() is None else "versitygw"


def admin(address: str) -> Any:
    return boto3.client("s3", "us-east-1", endpoint_url=address, aws_access_key_id=KEY, aws_secret_access_key=SECRET)


def named(address: str, place: str) -> dict[str, Any]:
    """The settings of a store in `place`, a bucket with or without a prefix."""
    return {
        "storage": f"s3://{place}",
        "storage_endpoint": address,
        "storage_key": KEY,
        "storage_secret": SecretStr(SECRET),
    }


def _versitygw(folder: Path, port: int) -> list[str]:
    """How it is started. Skips where it is not here."""
    program = versitygw()
    if program is None:
        pytest.skip("versitygw is not here: `make s3` builds it")
    objects, versions = folder / "objects", folder / "versions"
    for each in (objects, versions):
        each.mkdir(parents=True)
    call = [program, "--access", KEY, "--secret", SECRET, "--port", f"127.0.0.1:{port}", "--quiet"]
    return [*call, "posix", "--versioning-dir", str(versions), str(objects)]


@asynccontextmanager
async def serving(kind: Kind, folder: Path) -> AsyncIterator[str]:
    """A server in a process of its own and its address; versitygw keeps what it has in the folder. Skips where it is not here.

    In a process of its own, since a reader in Rust may hold this one's interpreter while it waits for the answer."""
    port = free_port()
    model = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    call = model if kind == "moto" else _versitygw(folder, port)
    process = await asyncio.create_subprocess_exec(*call, stdout=DEVNULL, stderr=DEVNULL)
    try:
        await listens(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()
