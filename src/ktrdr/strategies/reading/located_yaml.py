"""YAML as plain values that know where they stand, in one pass over libyaml's events.

What would cost much or could mean two things is refused at its place: size, depth, number of values, anchors,
tags, a key given twice. Plain scalars are read as by YAML 1.2: `NO` and `1:30` are text, and so are dates.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from yaml.cyaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

from ktrdr.strategies.reading.mistakes import KeyPath, Mistake, Place, refusal

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

LARGEST = 256 * 1024
DEEPEST = 32
MOST_VALUES = 10_000
LONGEST_NUMBER = 64
WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", "", 1))),
)


@dataclass(frozen=True, slots=True)
class LocatedYaml:
    """A document as plain values, and the line and column of each key and item, counted from 0."""

    value: Value
    places: Mapping[KeyPath, Place]


def read_yaml(text: str, file_name: str) -> LocatedYaml:
    """Read one document; raises StrategyInvalid at the place of what cannot be read."""
    try:
        _check_size(text)
        return _Document(text).read()
    except _Refused as refused:
        raise refusal(text, file_name, [refused.mistake]) from None
    except ReaderError as error:
        where = _place_of_byte(text, error.position)
        raise refusal(text, file_name, [Mistake(where, f"not valid YAML: {error.reason}")]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = (mark.line, mark.column) if mark else (0, 0)
        raise refusal(text, file_name, [Mistake(where, f"not valid YAML: {error.problem}")]) from None
    except YAMLError as error:
        raise refusal(text, file_name, [Mistake((0, 0), f"not valid YAML: {error}")]) from None


def plain_scalar(text: str) -> Value:
    """Return what an unquoted scalar means in the core schema of YAML 1.2."""
    if text in WORDS:
        return WORDS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    readers = (read for form, read in NUMBERS if form.fullmatch(text))
    return next(readers, str)(text)


class _Refused(Exception):  # leaves the recursion; a StrategyInvalid is made where the text is known
    def __init__(self, event: Event, message: str) -> None:
        super().__init__(message)
        self.mistake = Mistake((event.start_mark.line, event.start_mark.column), message)


class _Document:
    """One reading: values are made as their events come, and their places noted."""

    def __init__(self, text: str) -> None:
        self._parser = CParser(text)
        self._places: dict[KeyPath, Place] = {}
        self._count = 0

    def read(self) -> LocatedYaml:
        self._parser.get_event()  # the stream begins
        if isinstance(self._parser.get_event(), StreamEndEvent):
            return LocatedYaml(None, {})
        value = self._value((), self._parser.get_event())
        while isinstance(event := self._parser.get_event(), DocumentEndEvent):
            continue
        if not isinstance(event, StreamEndEvent):
            raise _Refused(event, "a second document begins here")
        return LocatedYaml(value, self._places)

    def _value(self, path: KeyPath, event: Event) -> Value:
        self._check(path, event)
        if isinstance(event, ScalarEvent):
            text = str(event.value)
            return plain_scalar(text) if event.implicit[0] else text
        return self._mapping(path) if isinstance(event, MappingStartEvent) else self._sequence(path)

    def _check(self, path: KeyPath, event: Event) -> None:
        self._count += 1
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise _Refused(event, "anchors and aliases are not allowed")
        if event.tag is not None:
            raise _Refused(event, "tags are not allowed")
        if isinstance(event, MappingStartEvent | SequenceStartEvent) and len(path) >= DEEPEST:
            raise _Refused(event, f"deeper than {DEEPEST} levels")
        if self._count > MOST_VALUES:
            raise _Refused(event, f"more than {MOST_VALUES:,} keys and values")

    def _sequence(self, path: KeyPath) -> Value:
        values: list[Value] = []
        while not isinstance(event := self._parser.get_event(), SequenceEndEvent):
            values.append(self._noted((*path, len(values)), event, event))
        return values

    def _mapping(self, path: KeyPath) -> Value:
        values: dict[str, Value] = {}
        while not isinstance(event := self._parser.get_event(), MappingEndEvent):
            self._check(path, event)
            if not isinstance(event, ScalarEvent):
                raise _Refused(event, "a key is a name, not a list or a mapping")
            if event.value in values:
                raise _Refused(event, f"duplicate key `{event.value}`")
            values[event.value] = self._noted((*path, event.value), event, self._parser.get_event())
        return values

    def _noted(self, path: KeyPath, where: Event, event: Event) -> Value:
        self._places[path] = (where.start_mark.line, where.start_mark.column)
        return self._value(path, event)


def _check_size(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise YAMLError(f"character {error.start + 1} is half of one") from None
    if size > LARGEST:
        raise YAMLError(f"the file is larger than {LARGEST // 1024} kB")


def _place_of_byte(text: str, position: int) -> Place:
    before = text.encode()[:position].decode(errors="ignore")
    return (before.count("\n"), len(before) - before.rfind("\n") - 1)
