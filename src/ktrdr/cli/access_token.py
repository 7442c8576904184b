"""The token of a server on a port, as a user gives it: KTRDR_TOKEN, or a file that KTRDR_TOKEN_FILE names."""

from ktrdr.client.caller import Caller
from ktrdr.errors import AccessDenied
from ktrdr.settings import Settings

HINT = "the server prints where its token is when it starts"


def caller_of(settings: Settings, *, by_port: bool) -> Caller:
    """Return who asks; only a server on a port is shown the token. Raises AccessDenied for what is none."""
    return Caller(settings.traceparent, _token(settings) if by_port else None)


def _token(settings: Settings) -> str | None:
    token = (settings.token or _content(settings)).strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise AccessDenied("what KTRDR_TOKEN or KTRDR_TOKEN_FILE says is no token", hint=HINT)
    return token or None


def _content(settings: Settings) -> str:
    try:
        return settings.token_file.read_text() if settings.token_file else ""
    except (OSError, UnicodeError) as error:
        words = f"the token file `{settings.token_file}` cannot be read: {error}"
        raise AccessDenied(words, hint=HINT) from None
