"""Who may do what: API keys, the scopes they have, and the caller that a request turns out to come from.

A key is ``hf_``, 16 hex digits that name it, ``_``, and 48 hex digits that nobody can guess. What is kept of the
secret half is its digest: it is random, so nothing slow is needed to guard it (docs/decisions/0021).
"""

import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

KEY = re.compile(r"hf_([0-9a-f]{16})_([0-9a-f]{48})")
ID = re.compile(r"(?:hf_)?([0-9a-f]{16})(?:_.*)?", re.DOTALL)
PURPOSE = b"holdfast api key\0"  # the digest of the same text for another purpose is another one


class KeyScope(StrEnum):
    """What a key is good for. What concerns all tenants at once needs a key that belongs to none."""

    SUBMIT = "submit"  # submit jobs, and cancel them
    READ = "read"  # see jobs, batches, results and dead letters
    WATCH = "watch"  # all tenants: figures, lanes, routes, status, ledger and who did what; nobody's prompts
    OPERATE = "operate"  # act on dead letters; with a key of all tenants on lanes and routes, and see what watch sees
    ADMIN = "admin"  # all of these


IMPLIED: Mapping[KeyScope, frozenset[KeyScope]] = {
    KeyScope.OPERATE: frozenset({KeyScope.WATCH}),
    KeyScope.ADMIN: frozenset(KeyScope),
}


@dataclass(frozen=True, slots=True)
class ApiCaller:
    """Who makes a request. ``name`` stands in the audit log; ``tenant`` None means every tenant."""

    name: str
    tenant: str | None
    scopes: frozenset[KeyScope]

    def may(self, scope: KeyScope) -> bool:
        """Tell whether one of the caller's scopes is this one or holds it.

        >>> ApiCaller("key:1", None, frozenset({KeyScope.OPERATE})).may(KeyScope.WATCH)
        True
        """
        return any(scope is own or scope in IMPLIED.get(own, ()) for own in self.scopes)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be kept. ``expires_in`` in seconds from now; None: until it is revoked."""

    id: str
    name: str
    tenant: str | None
    scopes: frozenset[KeyScope]
    digest: str = field(repr=False)
    expires_in: float | None = None


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A kept key, without its secret. Times are seconds since the epoch; ``used_at`` is exact to a minute."""

    id: str
    name: str
    tenant: str | None
    scopes: frozenset[KeyScope]
    digest: str = field(repr=False)
    created_at: float
    created_by: str
    expires_at: float | None
    revoked_at: float | None
    used_at: float | None

    def usable(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def caller(self) -> ApiCaller:
        return ApiCaller(f"key:{self.id}", self.tenant, self.scopes)


def key_text(id_: str, secret: str) -> str:
    """Write a key as its owner gets it."""
    return f"hf_{id_}_{secret}"


def read_key(text: str) -> tuple[str, str] | None:
    """Take a key apart into the name and the secret; None where ``text`` is no key.

    >>> read_key("hf_0123456789abcdef_" + "ab" * 24) == ("0123456789abcdef", "ab" * 24), read_key("hf_x")
    (True, None)
    """
    found = KEY.fullmatch(text)
    return (found[1], found[2]) if found else None


def named_key(text: str) -> str | None:
    """Read which key a person means: its id, with or without ``hf_``, or by mistake the whole key.

    >>> named_key("hf_0123456789abcdef"), named_key("0123456789abcdef"), named_key("nightly")
    ('0123456789abcdef', '0123456789abcdef', None)
    """
    found = ID.fullmatch(text.strip())
    return found[1] if found else None


def digest_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return sha256(PURPOSE + secret.encode()).hexdigest()


NOBODYS = digest_of("")  # what the secret of an unknown key is compared with, so that the time tells nothing


def matches(record: KeyRecord | None, secret: str) -> bool:
    """Compare in constant time, whether or not there is such a key."""
    return hmac.compare_digest(record.digest if record else NOBODYS, digest_of(secret)) and record is not None


def read_scopes(names: Collection[str]) -> frozenset[KeyScope]:
    """Read names of scopes. Raises ValueError naming the first that is none."""
    return frozenset(KeyScope(name) for name in names)
