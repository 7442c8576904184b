"""What a request is refused for is said in the words of the product, whatever the validator calls it."""

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from ktrdr.errors import InputInvalid
from ktrdr.invalid_fields import check


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: Annotated[str, Field(min_length=2, max_length=4, pattern="^[a-z]+$")] = "abc"
    kind: Literal["one", "two", "\t"] = "one"
    columns: dict[Literal["time", "open"], str] = {}
    many: tuple[Annotated[int, Field(ge=1, lt=9)], ...] = Field(default=(1,), min_length=1, max_length=2)
    share: float = 0.5
    day: date | None = None
    yes: bool = True


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a"}, "`name`: needs at least 2 characters"),
        ({"name": "abcde"}, "`name`: may have at most 4 characters"),
        ({"name": "ABC"}, "`name`: does not have the form `^[a-z]+$`"),
        ({"name": 3}, "`name`: should be text"),
        ({"kind": "three"}, r"`kind`: should be `one`, `two` or `\t`"),
        ({"columns": {"shut": "X"}}, "`columns`: `shut` should be `time` or `open`"),
        ({"columns": 3}, "`columns`: should be a mapping"),
        ({"many": []}, "`many`: needs at least 1"),
        ({"many": [0, 9]}, "`many.0`: should be at least 1; `many.1`: should be below 9"),
        ({"many": ["x"]}, "`many.0`: should be a whole number"),
        ({"many": 3}, "`many`: should be a list"),
        ({"share": float("nan")}, "`share`: should be a finite number"),
        ({"share": "x"}, "`share`: should be a number"),
        ({"day": "soon"}, "`day`: should be a date, as 2024-01-31"),
        ({"day": "2024-01-31T10:00"}, "`day`: should be a date, as 2024-01-31"),
        ({"yes": "perhaps"}, "`yes`: should be true or false"),
        ({"other": 1}, "`other`: is not known"),
    ],
)
def test_a_field_is_refused_in_plain_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        check(Asked, given)
    assert caught.value.message == words
