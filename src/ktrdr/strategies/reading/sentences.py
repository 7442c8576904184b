"""What pydantic refuses of a strategy, as sentences at the places where it stands in the file."""

import difflib
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from ktrdr.invalid_fields import KEY, predicate, without_echoes
from ktrdr.strategies.fuzzy_spec import QUANTILE_KEYS
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.label_spec import LABELS
from ktrdr.strategies.reading.located_yaml import LocatedYaml
from ktrdr.strategies.reading.mistakes import KeyPath, Mistake, Place
from ktrdr.strategies.strategy import UNKNOWN_INDICATOR, Strategy

NOT_YET = {
    "context": "context timeframes",
    "seeds": "training with several seeds",
    "null": "the null run",
    "folds": "walk-forward splits",
    "fuzzy_sets": "the older strategy grammar",
    "training_data": "the older strategy grammar",
}
TYPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    UNKNOWN_INDICATOR: ("indicator", tuple(sorted(INDICATOR_SPECS))),
    "union_tag_invalid": ("label", tuple(LABELS)),
    "union_tag_not_found": ("label", tuple(LABELS)),
}
MOST_NAMED = 14
MOST_KEPT = 100
NAMES = "should be small letters, digits and `_`, beginning with a letter"
MISSING = {"fit": "write `fit: quantile`, or give each set its points"}
QUOTES = "put it in quotes"


def mistakes_of(error: ValidationError, document: LocatedYaml) -> list[Mistake]:
    """Return a mistake for each refusal of a field, the first of very many; not those across sections."""
    refused = [each for each in without_echoes(error.errors(include_url=False)) if each["loc"]]
    refused.sort(key=lambda each: place_of(document, _standing(document, each["loc"])))
    told = refused[:MOST_KEPT]
    unknown = [_standing(document, each["loc"]) for each in told if each["type"] == "extra_forbidden"]
    return [_mistake(document, each) for each in told if not _is_misspelt(document, each, unknown)]


def place_of(document: LocatedYaml, path: KeyPath) -> Place:
    """Return where the last part of a path stands, or the nearest above it that does."""
    return next(
        (document.places[path[:end]] for end in range(len(path), 0, -1) if path[:end] in document.places),
        (0, 0),
    )


def nearest(name: str, names: Sequence[str]) -> str | None:
    """Return the hint that names the nearest, else all if they are few."""
    listed = ", ".join(f"`{each}`" for each in names)
    verb = "is" if len(names) == 1 else "are"
    return _did_you_mean(name, names) or (f"there {verb} {listed}" if 0 < len(names) <= MOST_NAMED else None)


def _did_you_mean(name: str, names: Sequence[str]) -> str | None:
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean `{near[0]}`?" if near else None


def _is_misspelt(document: LocatedYaml, error: Mapping[str, Any], unknown: Sequence[KeyPath]) -> bool:
    """Tell whether what is missing stands there under a name like it: one mistake, told once."""
    if error["type"] != "missing":
        return False
    path, wanted = _standing(document, error["loc"]), str(error["loc"][-1])
    beside = [str(each[-1]) for each in unknown if each[:-1] == path]
    return any(difflib.get_close_matches(each, [wanted], 1) for each in beside)


def _mistake(document: LocatedYaml, error: Mapping[str, Any]) -> Mistake:
    path, kind = _standing(document, error["loc"]), error["type"]
    if kind == "extra_forbidden":
        return Mistake(place_of(document, path), *_unknown(document, path))
    if kind == "missing":
        key = error["loc"][-1]
        return Mistake(place_of(document, path), f"`{key}` is missing{_inside(path)}", MISSING.get(key))
    if kind in TYPES:
        return _wrong_type(document, path, *TYPES[kind])
    if kind == "value_error":
        place = place_of(document, _more_exactly(document, path, error["msg"]))
        subject = _subject(path) if isinstance(path[-1], int) else f"`{_dotted(path)}`"
        return Mistake(place, f"{subject}: {predicate(error)}")
    words = NAMES if kind == "string_pattern_mismatch" else predicate(error)
    return Mistake(place_of(document, path), f"{_subject(path)} {words}", _hint(error))


def _unknown(document: LocatedYaml, path: KeyPath) -> tuple[str, str | None]:
    key = str(path[-1])
    if path[0] == "indicators" and key == "timeframe":
        return "an indicator on a higher timeframe is not available yet", None
    if path == ("split", "type"):
        return "`type`: this split type is not available yet", None
    if key in NOT_YET:
        return f"`{key}`: {NOT_YET[key]} is not available yet", None
    return f"unknown key `{key}`{_inside(path[:-1])}", nearest(key, _allowed(document, path[:-1]))


def _wrong_type(document: LocatedYaml, path: KeyPath, noun: str, types: Sequence[str]) -> Mistake:
    """Return the mistake of a part that is of no known type."""
    known = ", ".join(f"`{each}`" for each in types)
    given = _at(document.value, (*path, "type"))
    if given is None:
        return Mistake(place_of(document, path), f"`type` is missing{_inside(path)}", f"there are {known}")
    message = f"unknown {noun} type `{given}`; known are {known}"
    return Mistake(place_of(document, (*path, "type")), message, _did_you_mean(str(given), types))


def _subject(path: KeyPath) -> str:
    """Return what a sentence is about: a key in its section, or an item of a list counted from 1."""
    if path and isinstance(path[-1], int):
        return f"item {path[-1] + 1} of `{_dotted(path[:-1])}`"
    return f"`{path[-1]}`{_inside(path[:-1])}" if path else "the strategy"


def _hint(error: Mapping[str, Any]) -> str | None:
    given, kind = error.get("input"), error["type"]
    if kind == "string_type" and isinstance(given, int | float):
        return QUOTES
    if kind == "tuple_type" and isinstance(given, str | int | float):
        return f"write `[{given}]`"
    if kind == "literal_error" and isinstance(given, str):
        choices = str(error["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return _did_you_mean(given, choices)
    return None


def _more_exactly(document: LocatedYaml, path: KeyPath, words: str) -> KeyPath:
    """Return the path of the key that a sentence about a section begins with."""
    first = words.removeprefix("Value error, ").split(" ", 1)[0].strip("`,")
    return (*path, first) if (*path, first) in document.places else path


def _standing(document: LocatedYaml, location: Sequence[str | int]) -> KeyPath:
    """Keep of pydantic's location what stands in the file: it also names members of unions."""
    path: KeyPath = ()
    for part in location:
        if part != KEY and (*path, part) in document.places:
            path = (*path, part)
    return path


def _allowed(document: LocatedYaml, path: KeyPath) -> tuple[str, ...]:
    """Return the keys that a section may have, as its type says where it has one."""
    kind = _at(document.value, (*path, "type"))
    if len(path) == 2 and path[0] == "indicators":
        spec = INDICATOR_SPECS.get(str(kind))
        return ("type", *spec.parameters.model_fields) if spec else ()
    if path == ("labels",) and kind in LABELS:
        return tuple(LABELS[str(kind)].model_fields)
    if len(path) == 2 and path[0] == "fuzzy":
        return tuple(sorted(QUANTILE_KEYS))
    model: type[BaseModel] | None = Strategy
    for part in path:
        model = next(_models(model.model_fields[str(part)].annotation), None) if model else None
    return tuple(model.model_fields) if model else ()


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    for each in (annotation, *typing.get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each


def _at(value: object, path: KeyPath) -> object:
    for part in path:
        value = value.get(str(part)) if isinstance(value, dict) else None
    return value


def _inside(path: KeyPath) -> str:
    return f" in `{_dotted(path)}`" if path else ""


def _dotted(path: KeyPath) -> str:
    return ".".join(map(str, path))
