"""From what a model refuses to one sentence per field, in words that need no knowledge of the validator."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from ktrdr.errors import InputInvalid

DATE = "should be a date, as 2024-01-31"
WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "too_short": "needs at least {min_length}",
    "too_long": "may have at most {max_length}",
    "string_too_short": "needs at least {min_length} characters",
    "string_too_long": "may have at most {max_length} characters",
    "string_unicode": "is not whole text",
    "string_pattern_mismatch": "does not have the form `{pattern}`",
    "greater_than_equal": "should be at least {ge}",
    "greater_than": "should be above {gt}",
    "less_than_equal": "should be at most {le}",
    "less_than": "should be below {lt}",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a smaller whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "finite_number": "should be a finite number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "string_type": "should be text",
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "model_type": "should be a mapping",
    "model_attributes_type": "should be a mapping",
    "dict_type": "should be a mapping",
    "date_type": DATE,
    "date_parsing": DATE,
    "date_from_datetime_parsing": DATE,
    "date_from_datetime_inexact": DATE,
    "json_invalid": "is not JSON",
}
QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")
KEY = "[key]"


def predicate(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field, to be said after its name; a model's own words stay as they are."""
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind in WORDS:
        return WORDS[kind].format(**context)
    if "expected" in context:
        return "should be " + QUOTED.sub(r"`\1`", str(context["expected"]))
    words = str(error["msg"]).removeprefix("Value error, ")
    return "should" + words.removeprefix("Input should") if words.startswith("Input should") else words


def without_echoes(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the errors without a list's that it is too short only because its items are wrong."""
    inside = {each["loc"][:end] for each in errors for end in range(len(each["loc"]))}
    return [each for each in errors if each["type"] != "too_short" or each["loc"] not in inside]


def field_sentences(errors: Sequence[Mapping[str, Any]], skipped: int = 0) -> list[dict[str, str]]:
    """Return `field` and `message` of each error; `skipped` parts before the field's name are left out."""
    return [_field_sentence(each, each["loc"][skipped:]) for each in without_echoes(errors)]


def _field_sentence(error: Mapping[str, Any], location: Sequence[str | int]) -> dict[str, str]:
    words = predicate(error)
    if location and location[-1] == KEY:
        location, words = location[:-2], f"`{location[-2]}` {words}"
    return {"field": ".".join(map(str, location)) or "body", "message": words}


def sentence(fields: Sequence[Mapping[str, str]]) -> str:
    """Return all fields and what is wrong with them, in one line."""
    named = (("" if each["field"] == "body" else f"`{each['field']}`: ") + each["message"] for each in fields)
    return "; ".join(named)


def check(model: type[BaseModel], values: Mapping[str, Any]) -> None:
    """Raise InputInvalid, naming every field that is wrong, unless the values make a `model`."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        raise InputInvalid(sentence(field_sentences(error.errors()))) from None
