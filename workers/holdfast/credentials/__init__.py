"""Keys and tokens: where they come from, how long they are good, and how processes share them.

A provider per credential answers "which secret now?" from memory; everything that waits for a disk, a command, an
issuer or Redis happens in the background.
"""

from holdfast.credentials.credentials import Credentials
from holdfast.credentials.errors import IssuerFailed, NoToken
from holdfast.credentials.source import CredentialSource
from holdfast.credentials.token import Token

__all__ = ["CredentialSource", "Credentials", "IssuerFailed", "NoToken", "Token"]
