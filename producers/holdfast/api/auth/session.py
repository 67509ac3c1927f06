"""Sessions of the dashboard: a sealed cookie names the key that was shown once, and is good as long as the key is.

The cookie is sealed with a key that all processes of a storage share, so any of them reads it and none keeps anything.
The key itself is not in it. Without API keys a session names none, and still guards forms against other sites' pages.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie

import orjson
from cryptography.fernet import Fernet, InvalidToken
from starlette.datastructures import Headers
from starlette.responses import Response

from holdfast.client.installation import Installation
from holdfast.store.secrets import session_key

COOKIE = "holdfast_session"
LASTS = 12 * 3600  # seconds; then the key is shown again
TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Session:
    """``key``: id of the API key that was shown; "": none is needed here. ``token``: what forms carry."""

    key: str
    token: str

    def guards(self, shown: str) -> bool:
        """Tell whether a form shows this session's token, in constant time."""
        return hmac.compare_digest(self.token.encode(), shown.encode())


def new_session(key: str = "") -> Session:
    return Session(key, secrets.token_urlsafe(TOKEN_BYTES))


class SessionSealer:
    """Writes sessions into cookies and reads them. Asks the database for the shared key once."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._fernet: Fernet | None = None

    def read(self, headers: Headers) -> Session | None:
        """Return the session of a request; None where it has none, or one that is forged or too old.

        Raises StorageUnavailable.
        """
        sealed = cookie_of(headers)
        if not sealed:
            return None
        try:
            told = orjson.loads(self._seal().decrypt(sealed.encode(), ttl=LASTS))
        except InvalidToken:
            return None
        return Session(str(told["key"]), str(told["token"]))

    def write(self, response: Response, session: Session, *, secure: bool) -> None:
        """Set the cookie. ``secure``: the page came by HTTPS, and the cookie goes back by nothing else."""
        sealed = self._seal().encrypt(orjson.dumps({"key": session.key, "token": session.token}))
        response.set_cookie(
            COOKIE, sealed.decode(), max_age=LASTS, path="/ui", httponly=True, samesite="strict", secure=secure
        )

    def _seal(self) -> Fernet:
        if self._fernet is None:
            shared = session_key(self._installation.ready())
            self._fernet = Fernet(urlsafe_b64encode(sha256(b"holdfast session\0" + shared).digest()))
        return self._fernet


def cookie_of(headers: Headers) -> str:
    """Find the session's cookie in a request; "" where there is none."""
    try:
        found = SimpleCookie("; ".join(headers.getlist("cookie"))).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
