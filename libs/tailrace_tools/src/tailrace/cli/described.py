"""`tailrace describe`: write what follows from the manifests into the checkout, or check that nothing differs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.cli.console import out, say_failure
from tailrace.core.operator_error import OperatorError

if TYPE_CHECKING:
    from tailrace.codegen.cache import DescribeCache

_REFUSED = "nothing was written: what is committed in contracts/ is what others rely on"
_NEVER_PUBLISHED = (
    "if nobody does, say `released=False` in the manifest, or delete the old file there by hand and run this again"
)


def describe_fleet(*, check: bool, build: bool) -> int:
    """The exit code: 1 for a breaking change, which is never written, and when `check` finds a difference. `build` leaves the promises
    alone. What is built is written in any case.

    Raises `OperatorError` outside of a checkout.
    """
    from tailrace.codegen.cache import DescribeCache
    from tailrace.codegen.places import promised

    root = checkout(Path.cwd())
    cache = DescribeCache(root)
    # Before anything is imported: most of the time nothing has changed.
    if cache.is_described(promised(root)):
        out.print("nothing has changed")
        return 0
    return _describe(root, cache, check=check, build=build)


def _describe(root: Path, cache: "DescribeCache", *, check: bool, build: bool) -> int:
    from tailrace.cli import app
    from tailrace.codegen.changelog import with_changes
    from tailrace.codegen.compatibility import breaking
    from tailrace.codegen.describe import build as built
    from tailrace.codegen.describe import describe, documents_of, drift, write, write_built
    from tailrace.runtime.fleet import load_services

    services = load_services()
    documents = documents_of(services, cache)
    made = built(services, root, documents)
    if build:
        write_built(made, root)
        return 0
    files = describe(services, root, app, documents)
    if broken := breaking(files, root, services):
        for each in broken:
            out.print(f"breaks its readers: {each}", soft_wrap=True, markup=False)
        say_failure(_REFUSED, _NEVER_PUBLISHED)
        return 1
    write_built(made, root)
    differing = drift(files, root) if check else []
    if not check:
        for path, log in with_changes(files, root, datetime.now(UTC).date()).items():
            if log is None:
                (root / path).unlink()
            else:
                (root / path).parent.mkdir(exist_ok=True)
                (root / path).write_text(log)
        changed = write(files, root)
        out.print(f"{len(files)} files, {len(changed)} changed")
    for path in differing:
        out.print(f"differs: {path}")
    if differing:
        say_failure("generated files are not up to date", "run: tailrace describe")
        return 1
    cache.keep_described([*files, *made])
    return 0


def checkout(folder: Path) -> Path:
    """The checkout that `folder` is in. Raises `OperatorError`."""
    for each in (folder, *folder.parents):
        if (each / "contracts" / "pyproject.toml").exists():
            return each
    raise OperatorError(f"{folder} is not in a checkout of Tailrace", "change into the checkout first")
