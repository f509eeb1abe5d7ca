"""How somebody wants to hear: by which ways, at once or in a digest, and not in their quiet hours. All of it on their own clock.

Where a clock goes forward over a time, that time comes when it would have been; where it goes back, the first of the two counts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from notifications.bodies import How, PreferencesBody, QuietHoursBody, WayName
from notifications.copies import CompanyCopy
from notifications.kinds import Language
from notifications.models import Mailbox
from notifications.wording import language_of
from tailrace.core.values.days import DEFAULT_ZONE


@dataclass(frozen=True)
class Reader:
    """A person as far as telling them goes."""

    preferences: PreferencesBody
    language: Language
    zone: str

    def how(self, kind: str, way: WayName, *, urgent: bool) -> How:
        """What they said of a kind and a way, else the rule."""
        said = (each.how for each in self.preferences.choices if (each.kind, each.way) == (kind, way))
        return next(said, "now" if urgent or way == "in_app" else "never")

    def due(self, how: How, moment: datetime) -> datetime:
        """From when on it may go."""
        at = self._next_digest(moment) if how == "digest" else moment
        quiet = self.preferences.quiet
        return at if quiet is None else self._after(quiet, at)

    def _next_digest(self, moment: datetime) -> datetime:
        digest = self.preferences.digest
        here = moment.astimezone(ZoneInfo(self.zone))
        for days in range(9):
            at = self._at(here + timedelta(days=days), digest.at)
            day = (here + timedelta(days=days)).isoweekday()
            if at > moment and (digest.every == "day" or day == digest.weekday):
                return at
        raise AssertionError("every weekday comes within nine days")

    def _after(self, quiet: QuietHoursBody, moment: datetime) -> datetime:
        """The moment, or the end of the quiet hours that it lies in."""
        here = moment.astimezone(ZoneInfo(self.zone))
        for days in (-1, 0):
            day = here + timedelta(days=days)
            begin, end = self._at(day, quiet.begin), self._at(day, quiet.end)
            if _clock(quiet.end) <= _clock(quiet.begin):
                end = self._at(day + timedelta(days=1), quiet.end)
            if begin <= moment < end:
                return end
        return moment

    def _at(self, day: datetime, clock: str) -> datetime:
        """A time of a day here, in UTC."""
        return datetime.combine(day.date(), _clock(clock), ZoneInfo(self.zone)).astimezone(UTC)


def reader_of(mailbox: Mailbox | None, company: CompanyCopy | None) -> Reader:
    """Who said nothing is spoken to as the company's country has it, and lives by the company's clock."""
    said = PreferencesBody.model_validate(mailbox.preferences if mailbox else {})
    language = said.language or language_of(company.country if company else None)
    return Reader(said, language, said.time_zone or (company.time_zone if company else DEFAULT_ZONE))


def _clock(text: str) -> time:
    return time.fromisoformat(text)
