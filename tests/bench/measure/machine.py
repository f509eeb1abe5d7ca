"""What the figures were taken on: cores, memory, versions, and how busy the machine was with other things."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil

_PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "asyncpg", "aiokafka", "pydantic")


def machine() -> dict[str, Any]:
    """Whatever else runs takes from the figures: `load before` is the system's load average of one minute at the beginning."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory GiB": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load before": round(os.getloadavg()[0], 2),
    }


async def versions(postgres: str, connect: str) -> dict[str, str]:
    connection = await asyncpg.connect(postgres)
    try:
        server = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    async with aiohttp.ClientSession() as http:
        async with http.get(connect) as answer:
            kafka = (await answer.json())["version"]
        async with http.get(f"{connect}/connector-plugins") as answer:
            plugins = {plugin["class"]: plugin["version"] for plugin in await answer.json()}
    return {
        "Python": platform.python_version(),
        "PostgreSQL": server.split()[0],
        "Kafka": kafka,
        "Debezium": plugins["io.debezium.connector.postgresql.PostgresConnector"],
        **{name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
