"""What goes wrong before a provider is asked. None of these is a provider's 401."""

from holdfast.model.errors import HoldfastError
from holdfast.model.sentences import end_sentence


class NoToken(HoldfastError):
    """A credential has no usable key or token now."""

    code = "no_token"
    exit_status = 75
    http_status = 503

    def __init__(self, credential: str, why: str) -> None:
        super().__init__(credential, why)
        self.credential, self.why = credential, why

    def __str__(self) -> str:
        return f"credential {self.credential} has nothing to log in with: {end_sentence(self.why)}. Its jobs wait."


class IssuerFailed(HoldfastError):
    """A token issuer gave no token. ``why`` is ours or a code of RFC 6749; never the issuer's own words."""

    code = "issuer_failed"
    exit_status = 69
    http_status = 503

    def __init__(self, issuer: str, why: str) -> None:
        super().__init__(issuer, why)
        self.issuer, self.why = issuer, why

    def __str__(self) -> str:
        return f"the token issuer {self.issuer} gave no token: {self.why}"
