"""Text of others cannot steer a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrdr.cli.safe_text import safe, safe_lines


@pytest.mark.parametrize(
    ("hostile", "visible"),
    [
        ("\x1b[31mred", "\\e[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("\x07\x7f\x00", "\\x07\\x7f\\x00"),
        ("a\r\n\tb", "a\\r\\n\\tb"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("[bold]Ärger – 株[/bold]", "[bold]Ärger – 株[/bold]"),
    ],
)
def test_controls_become_visible_and_words_stay(hostile: str, visible: str) -> None:
    assert safe(hostile) == visible


def test_lines_stay_lines_where_they_are_wanted() -> None:
    assert safe_lines("one\ntwo\x1b") == "one\ntwo\\e"


@given(st.text())
def test_nothing_that_steers_comes_through(text: str) -> None:
    assert all(ord(character) >= 0x20 and not 0x7F <= ord(character) < 0xA0 for character in safe(text))
    assert safe(text).encode().decode() == safe(text)
