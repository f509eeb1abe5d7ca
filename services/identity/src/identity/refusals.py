"""What identity refuses, each by a name that a client can tell from the others."""

from tailrace.core.errors import Problem, Refused, Unauthenticated, Unavailable


class LastAdmin(Refused):
    """409: without an administrator nobody could let anybody in again."""

    slug, title = "last-admin", "The last administrator stays"

    def __init__(self) -> None:
        super().__init__("Make somebody else an administrator first.")


class BuiltIn(Refused):
    """409: every tenant has this role, as it is."""

    slug, title = "built-in-role", "This role is built in"

    def __init__(self, name: str) -> None:
        super().__init__(f"The role {name} can be granted and withdrawn, not changed or deleted.")


class LockedOut(Problem):
    """429: too many wrong passwords for this address."""

    status, slug, title = 429, "locked-out", "Too many attempts"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Try again in {seconds} s.", headers={"Retry-After": str(seconds)})


class WrongCredentials(Unauthenticated):
    """401: which of the three was wrong is not said, since that would tell who has an account."""

    slug, title = "wrong-credentials", "Wrong credentials"

    def __init__(self) -> None:
        super().__init__("The tenant, the e-mail address or the password is wrong.")


class Busy(Unavailable):
    """503: more log-ins than can be checked at the moment, in all or from one address; nothing was done, and nothing counted."""

    slug, title = "busy", "Too much at once"

    def __init__(self) -> None:
        super().__init__("More passwords are being checked than can be; try again shortly.", retry_after=2)


class RefreshRefused(Unauthenticated):
    """401: unknown, expired, used before or of a session that has ended."""

    slug, title = "refresh-refused", "The refresh token is not good any more"

    def __init__(self) -> None:
        super().__init__("Log in again.")
