"""The one function that makes text of a server, a file or a worker safe to draw."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SEPARATORS = frozenset("\u2028\u2029\ufeff")


def safe(text: object) -> str:
    """Return `text` on one line, its controls, bidirectional marks and lone surrogates visible."""
    return "".join(map(_visible, str(text)))


def safe_lines(text: object) -> str:
    """Return `text` as `safe` does, but keep its line ends."""
    return "\n".join(map(safe, str(text).split("\n")))


def _visible(character: str) -> str:
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    if character in _NAMED:
        return _NAMED[character]
    if code < 0xA0:
        return f"\\x{code:02x}"
    if character in _BIDIRECTIONAL or character in _SEPARATORS or 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    return character
