"""What files of rows can be made of; the job that goes through one."""

from dataclasses import dataclass

from tailrace.jobs.kinds import JobKind


@dataclass
class Importable:
    job: JobKind
