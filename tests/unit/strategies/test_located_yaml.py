"""YAML is read in one pass, with every place; what would cost much or mean two things is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrdr.errors import StrategyInvalid
from ktrdr.strategies.reading.located_yaml import LARGEST, plain_scalar, read_yaml


def refused(text: str) -> str:
    with pytest.raises(StrategyInvalid) as caught:
        read_yaml(text, "s.yaml")
    return caught.value.message


def test_every_key_and_item_has_the_place_it_stands_at() -> None:
    read = read_yaml("a: {b: [1, ü, 3]}\n# words\nc:\n  - x\n  - d: 1\n", "s.yaml")
    assert read.value == {"a": {"b": [1, "ü", 3]}, "c": ["x", {"d": 1}]}
    assert read.places == {
        ("a",): (0, 0),
        ("a", "b"): (0, 4),
        ("a", "b", 0): (0, 8),
        ("a", "b", 1): (0, 11),
        ("a", "b", 2): (0, 14),
        ("c",): (2, 0),
        ("c", 0): (3, 4),
        ("c", 1): (4, 4),
        ("c", 1, "d"): (4, 4),
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2000-03-01", "2000-03-01"),
        ("1_000", "1_000"),
        ("0o17", 15),
        ("0x1f", 31),
        ("017", 17),
        ("-5", -5),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("~", None),
        ("", None),
        ("True", True),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_fault_65_plain_scalars_are_read_as_in_yaml_1_2(text: str, value: object) -> None:
    assert read_yaml(f"a: {text}", "s.yaml").value == {"a": value}
    assert read_yaml(f"a: '{text}'", "s.yaml").value == {"a": text}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x 1", "s.yaml:1:4: anchors and aliases are not allowed"),
        ("a: 1\nb: *x", "s.yaml:2:4: anchors and aliases are not allowed"),
        ("a: !!python/object:os.system x", "s.yaml:1:4: tags are not allowed"),
        ("a: ! 1", "s.yaml:1:4: tags are not allowed"),
        ("a: 1\nb: {c: 1, c: 2}", "s.yaml:2:11: duplicate key `c`"),
        ("a: 1\na: 1", "s.yaml:2:1: duplicate key `a`"),
        ("? [a]\n: 1", "s.yaml:1:3: a key is a name, not a list or a mapping"),
        ("a: 1\n---\nb: 1", "s.yaml:2:1: a second document begins here"),
        ("a:\n\t- 1", "s.yaml:2:1: not valid YAML: found character that cannot start any token"),
        ("a: 1\nb: \x00", "s.yaml:2:4: not valid YAML: control characters are not allowed"),
        ("ü: [}", "s.yaml:1:5: not valid YAML: did not find expected node content"),
        ("a: \ud800", "s.yaml:1:1: not valid YAML: character 4 is half of one"),
        ("[" * 33 + "]" * 33, "s.yaml:1:33: deeper than 32 levels"),
    ],
)
def test_fault_65_what_means_two_things_is_refused_at_its_place(text: str, words: str) -> None:
    assert refused(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "[" * 250_000,
        "{a: " * 60_000,
        "a: [" + "1," * 120_000 + "]",
        "- 1\n" * 60_000,
        "".join(f"k{number}: 1\n" for number in range(20_000)),
        "[" + "{}," * 80_000 + "]",
        "a: " + "x" * LARGEST,
    ],
    ids=["open lists", "open mappings", "items", "lines", "keys", "mappings", "one scalar"],
)
def test_fault_65_what_would_cost_much_is_refused_without_reading_all_of_it(text: str) -> None:
    assert any(words in refused(text) for words in ("more than 10,000", "deeper than", "larger than 256 kB"))


def test_fault_65_a_line_of_any_length_is_shown_around_its_mistake() -> None:
    with pytest.raises(StrategyInvalid) as caught:
        read_yaml("a: " + "x" * 100_000 + " *y: 1", "s.yaml")
    assert sum(map(len, caught.value.detail)) < 400


@given(st.text(max_size=60))
def test_fault_65_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    try:
        read_yaml(text, "s.yaml")
    except StrategyInvalid as error:
        assert error.message.startswith("s.yaml:")


@given(st.text(max_size=80))
def test_a_plain_scalar_is_never_refused(text: str) -> None:
    assert plain_scalar(text) is None or isinstance(plain_scalar(text), str | int | float)
