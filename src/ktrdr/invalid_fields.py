"""From what a model refuses to one sentence per field."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from ktrdr.errors import InputInvalid


def field_sentences(errors: Sequence[Mapping[str, Any]], skipped: int = 0) -> list[dict[str, str]]:
    """Return `field` and `message` of each error; `skipped` parts before the field's name are left out."""
    return [
        {
            "field": ".".join(str(part) for part in each["loc"][skipped:]) or "body",
            "message": str(each["msg"]).removeprefix("Value error, "),
        }
        for each in errors
    ]


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
