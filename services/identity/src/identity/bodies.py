"""What clients may send. Addresses are compared in lower case; passwords are never shown in a log or an error."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from tailrace.core.fields import Email, Name, Password, Sentence
from tailrace.core.money import Currency
from tailrace.core.personal_data import Personal
from tailrace.core.text import address
from tailrace.core.wire import TextRule
from tailrace.http.routing import Body

RoleName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z][a-z0-9_-]*$")]
Scope = Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9_-]*:(\*|[a-z][a-z0-9_-]*))$", examples=["orders:read"])]
Slug = Annotated[str, Field(min_length=2, max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*[a-z0-9]$")]
NewPassword = Annotated[Password, Field(min_length=8)]


class LogIn(Body):
    """Who logs in, and where: `tenant` is the company's slug."""

    tenant: Annotated[str, Field(max_length=40), BeforeValidator(TextRule(address))]
    email: Personal[Email]
    password: Password


class RefreshBody(Body):
    refresh_token: Annotated[SecretStr, Field(max_length=200)]


class NewAdmin(Body):
    email: Personal[Email]
    name: Personal[Name]
    password: NewPassword


class NewTenant(Body):
    """A company and its first administrator."""

    slug: Slug
    name: Name
    currency: Currency
    industry: Name | None = None
    admin: NewAdmin


class TenantDescription(Body):
    name: Name
    industry: Name | None = None


class NewUser(Body):
    email: Personal[Email]
    name: Personal[Name]
    password: NewPassword
    roles: Annotated[list[RoleName], Field(max_length=50)] = []


class ChangedUser(Body):
    """Replaces the user; a `password` is set only when one is given."""

    email: Personal[Email]
    name: Personal[Name]
    roles: Annotated[list[RoleName], Field(max_length=50)]
    active: bool = True
    password: NewPassword | None = None


class RoleBody(Body):
    name: RoleName
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=100)]


class KeyRotation(Body):
    """`at_once`: sign with the new key now, not when every verifier has fetched it. `revoke`: refuse what older keys signed, too."""

    at_once: bool = False
    revoke: bool = False
    reason: Sentence | None = None


class PasswordChange(Body):
    current_password: Password
    new_password: NewPassword


class TokenExchange(Body):
    """The form of RFC 8693, section 2.1, as far as it is supported. `scope` narrows; left out, the new token has the old one's."""

    grant_type: Literal["urn:ietf:params:oauth:grant-type:token-exchange"]
    subject_token: Annotated[SecretStr, Field(max_length=8192)]
    subject_token_type: Literal["urn:ietf:params:oauth:token-type:access_token"]
    audience: Annotated[str, Field(max_length=60, pattern=r"^[a-z][a-z0-9_-]*$", examples=["orders"])]
    scope: Annotated[str, Field(max_length=4000, pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$")] | None = None
    requested_token_type: Literal["urn:ietf:params:oauth:token-type:access_token"] | None = None
