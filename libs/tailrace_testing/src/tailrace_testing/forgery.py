"""Access tokens that nobody may accept, one per class of forgery, made from a genuine key and genuine claims.

After the known attacks on JWTs (RFC 8725): confused algorithms and keys, keys that the token brings along, edited contents, tokens for others.
"""

import base64
import hmac
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from joserfc.jwk import RSAKey

from tailrace.core.ids import uuid7
from tailrace.http.auth import TYPE

_PKCS1, _SHA256 = PKCS1v15(), SHA256()
_OTHER_RSA: dict[str, tuple[AsymmetricPadding, HashAlgorithm]] = {
    "RS384": (_PKCS1, SHA384()),
    "RS512": (_PKCS1, SHA512()),
    "PS256": (PSS(MGF1(_SHA256), _SHA256.digest_size), _SHA256),
}
_STRANGER = RSAKey.generate_key(2048, parameters={"kid": "stranger", "use": "sig", "alg": "RS256"})


class Forger:
    """Makes the tokens. `key` is the genuine one, published as `key_id`; `claims` are those of a good token; `elsewhere` another service."""

    def __init__(self, key: RSAKey, key_id: str, claims: dict[str, Any], elsewhere: str) -> None:
        self._key = key
        self._claims = claims
        self._elsewhere = elsewhere
        self._header = {"alg": "RS256", "kid": key_id, "typ": TYPE}

    def good(self) -> str:
        """The token that all others are made from: the control."""
        return self._signed(self._header, self._claims)

    def all(self) -> dict[str, str]:
        """Every forgery by the name of its class."""
        return {
            **self._other_algorithms(),
            **self._other_keys(),
            **self._edited(),
            **self._meant_otherwise(),
            **self._malformed(),
        }

    def _other_algorithms(self) -> dict[str, str]:
        pem = self._key.as_pem(private=False)
        der = self._key.as_der(private=False)
        jwk = json.dumps(self._key.as_dict(private=False)).encode()
        tokens = {f"alg {name!r}": self._raw(name, b"") for name in ("none", "None", "nOnE", "", None)}
        tokens |= {
            f"HS256 with the public key as {form}": self._hmac(secret)
            for form, secret in (
                ("PEM", pem),
                ("PEM without its last line end", pem.strip()),
                ("DER", der),
                ("JWK", jwk),
            )
        }
        tokens["HS256 with an empty secret"] = self._hmac(b"")
        for name, (scheme, digest) in _OTHER_RSA.items():
            content = f"{_part({**self._header, 'alg': name})}.{_part(self._claims)}"
            tokens[f"{name} of the genuine key"] = f"{content}.{_signature(content, self._key, scheme, digest)}"
        tokens["alg none with the genuine signature"] = ".".join(
            (_part({**self._header, "alg": "none"}), *self.good().split(".")[1:])
        )
        return tokens

    def _other_keys(self) -> dict[str, str]:
        public = _STRANGER.as_dict(private=False)
        brought: dict[str, dict[str, Any]] = {
            "jwk": {"jwk": public},
            "jku": {"jku": "http://127.0.0.1:1/keys.json"},
            "x5u": {"x5u": "http://127.0.0.1:1/cert.pem"},
            "x5c": {"x5c": ["MIIB"]},
        }
        tokens = {f"a stranger's key in {name}": self._by_stranger(**more) for name, more in brought.items()}
        tokens |= {
            f"the genuine key, and {name}": self._signed({**self._header, **more}) for name, more in brought.items()
        }
        return tokens | {
            "a stranger's key under the genuine id": self._by_stranger(),
            "a stranger's key under its own id": self._by_stranger(kid="stranger"),
            "a key id that is a path": self._by_stranger(kid="../../../../dev/null"),
            "a key id that is SQL": self._by_stranger(kid="' UNION SELECT 'secret"),
            "no key id": self._signed({name: self._header[name] for name in ("alg", "typ")}),
            "HS256 with a secret of its own": self._hmac(b"s" * 32),
        }

    def _edited(self) -> dict[str, str]:
        head, body, signature = self.good().split(".")
        edits: dict[str, dict[str, Any]] = {
            "another tenant": {"tenant": str(uuid7())},
            "another user": {"sub": str(uuid7())},
            "more scopes": {"scope": "*  platform:*"},
            "a longer life": {"exp": self._claims["exp"] + 10**6},
        }
        tokens = {
            f"edited to {name}": f"{head}.{_part({**self._claims, **edit})}.{signature}" for name, edit in edits.items()
        }
        doubled = json.dumps(self._claims)[:-1] + f', "tenant": "{uuid7()}"}}'
        other = self._signed(self._header, {**self._claims, "jti": str(uuid7())}).split(".")
        flipped = bytearray(_bytes(signature))
        flipped[10] ^= 1
        return tokens | {
            "a claim twice": f"{head}.{_encoded(doubled.encode())}.{signature}",
            "the signature of another token": f"{head}.{body}.{other[2]}",
            "one bit of the signature turned": f"{head}.{body}.{_encoded(bytes(flipped))}",
            "no signature": f"{head}.{body}.",
            "half a signature": f"{head}.{body}.{signature[: len(signature) // 2]}",
            "no third part": f"{head}.{body}",
            "a fourth part": f"{head}.{body}.{signature}.{signature}",
            "no contents": f"{head}..{signature}",
            "no header": f".{body}.{signature}",
        }

    def _meant_otherwise(self) -> dict[str, str]:
        now = int(time.time())
        claims: dict[str, dict[str, Any]] = {
            "another issuer": {"iss": "https://elsewhere.example"},
            "several issuers": {"iss": ["tailrace", "elsewhere"]},
            "another service's audience": {"aud": self._elsewhere},
            "several audiences": {"aud": ["tailrace", self._elsewhere]},
            "an audience in a list": {"aud": ["tailrace"]},
            "an audience that begins alike": {"aud": "tailrace-staging"},
            "expired": {"exp": now - 60},
            "expired as text": {"exp": str(now + 600)},
            "never to expire": {"exp": float("inf")},
            "good from tomorrow": {"nbf": now + 86_400},
            "issued tomorrow": {"iat": now + 86_400},
        }
        tokens = {name: self._signed(self._header, {**self._claims, **change}) for name, change in claims.items()}
        for name in ("iss", "aud", "exp", "iat", "sub", "tenant", "sid"):
            rest = {claim: value for claim, value in self._claims.items() if claim != name}
            tokens[f"without {name}"] = self._signed(self._header, rest)
        tokens["an ID token"] = self._signed({**self._header, "typ": "JWT"})
        tokens["a log-out token"] = self._signed({**self._header, "typ": "logout+jwt"})
        untyped = {name: self._header[name] for name in ("alg", "kid")}
        tokens["of no type"] = self._signed(untyped)
        return tokens

    def _malformed(self) -> dict[str, str]:
        shapes: dict[str, dict[str, Any]] = {
            "a tenant that is no id": {"tenant": "mine"},
            "a user that is a number": {"sub": 5},
            "a session that is no id": {"sid": "all"},
            "scopes in a list": {"scope": ["*"]},
            "roles in a text": {"roles": "admin"},
        }
        tokens = {name: self._signed(self._header, {**self._claims, **shape}) for name, shape in shapes.items()}
        _, body, signature = self.good().split(".")
        critical = {**self._header, "crit": ["b64"], "b64": False}
        return tokens | {
            "a critical header": f"{_part(critical)}.{body}.{signature}",
            "a header that is a list": f"{_encoded(b'[1]')}.{body}.{signature}",
            "nothing but dots": "..",
            "words": "let-me-in",
            "encrypted": f"{_part({'alg': 'dir', 'enc': 'A128GCM'})}....",
            "far too long": self._signed(self._header, {**self._claims, "filler": "x" * 9000}),
        }

    def _signed(self, header: dict[str, Any], claims: dict[str, Any] | None = None) -> str:
        """With the genuine key, whatever the header says."""
        content = f"{_part(header)}.{_part(claims or self._claims)}"
        return f"{content}.{_signature(content, self._key)}"

    def _by_stranger(self, **header: Any) -> str:
        content = f"{_part({**self._header, **header})}.{_part(self._claims)}"
        return f"{content}.{_signature(content, _STRANGER)}"

    def _hmac(self, secret: bytes) -> str:
        content = f"{_part({**self._header, 'alg': 'HS256'})}.{_part(self._claims)}"
        return f"{content}.{_encoded(hmac.digest(secret, content.encode(), 'sha256'))}"

    def _raw(self, algorithm: str | None, signature: bytes) -> str:
        return f"{_part({**self._header, 'alg': algorithm})}.{_part(self._claims)}.{_encoded(signature)}"


def _signature(content: str, key: RSAKey, scheme: AsymmetricPadding = _PKCS1, digest: HashAlgorithm = _SHA256) -> str:
    private = key.private_key
    assert private is not None
    return _encoded(private.sign(content.encode(), scheme, digest))


def _part(value: Any) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")
