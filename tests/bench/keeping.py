"""What the measurements that stand by themselves have in common: how many they are asked for, and their figures as a file for the report."""

import argparse
import json
from pathlib import Path
from typing import Any


def options(about: str | None, size: int) -> argparse.Namespace:
    """`size`: of how many rows or events, unless told. `json`: where the figures are to be left besides."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=int, nargs="?", default=size, help="of how many rows or events")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    return parser.parse_args()


def keep(asked: argparse.Namespace, figures: dict[str, Any]) -> None:
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, ensure_ascii=False))
