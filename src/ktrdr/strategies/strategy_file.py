"""From the text of a strategy file to a Strategy and back; every mistake is told, at file:line:column."""

from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import ValidationError

from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.lint import is_scale_free
from ktrdr.strategies.reading.located_yaml import LocatedYaml, plain_scalar, read_yaml
from ktrdr.strategies.reading.mistakes import Mistake, refusal
from ktrdr.strategies.reading.sentences import MOST_KEPT, mistakes_of, nearest, place_of
from ktrdr.strategies.strategy import Indicator, Strategy, output_problem


def parse_strategy(text: str, file_name: str) -> Strategy:
    """Read a strategy; raises StrategyInvalid, which tells every mistake as `file:line:column: ...`."""
    return read_strategy(text, file_name)[0]


def read_strategy(text: str, file_name: str) -> tuple[Strategy, LocatedYaml]:
    """Read a strategy and where its keys stand; raises StrategyInvalid."""
    document = read_yaml(text, file_name)
    if not isinstance(document.value, dict):
        raise refusal(text, file_name, [Mistake((0, 0), "a strategy is a mapping that begins with `name:`")])
    strategy, mistakes = _validated(document)
    mistakes += _across_sections(document)
    if strategy is None or mistakes:
        told = sorted(set(mistakes), key=lambda each: (each.place, each.message))
        raise refusal(text, file_name, told)
    return strategy, document


def strategy_to_yaml(strategy: Strategy) -> str:
    """Return the resolved strategy, every default written out, as text that parses to the same strategy."""
    return str(
        yaml.dump(
            as_in_a_file(strategy),
            Dumper=_Dumper,
            sort_keys=False,
            default_flow_style=None,
            allow_unicode=True,
            width=100,
        )
    )


def as_in_a_file(strategy: Strategy) -> dict[str, Any]:
    """Return the resolved strategy as plain values in the grammar of a file."""
    shape = strategy.model_dump(mode="json")
    shape["indicators"] = {
        name: {"type": each.type, **each.parameters} for name, each in strategy.indicators.items()
    }
    for spec in shape["fuzzy"].values():
        if isinstance(spec["sets"], dict):
            spec["sets"] = {name: [each["kind"], *each["points"]] for name, each in spec["sets"].items()}
    return shape


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # the library ships no types
    """Quotes what would be read as anything but text."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(plain_scalar(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _validated(document: LocatedYaml) -> tuple[Strategy | None, list[Mistake]]:
    try:
        return Strategy.model_validate(document.value), []
    except ValidationError as error:
        return None, mistakes_of(error, document)


def _across_sections(document: LocatedYaml) -> list[Mistake]:
    """Return what is wrong between indicators and fuzzy sets, of those indicators that are valid alone."""
    sections = document.value if isinstance(document.value, dict) else {}
    given, fuzzy = sections.get("indicators"), sections.get("fuzzy")
    if not isinstance(given, dict) or not isinstance(fuzzy, dict):
        return []
    valid = dict(_valid_indicators(given))
    unsure = given.keys() - valid.keys()
    return [
        Mistake(place_of(document, ("fuzzy", key)), *problem)
        for key in list(fuzzy)[:MOST_KEPT]
        if key.partition(".")[0] not in unsure and (problem := _fuzzy_problem(key, valid, tuple(given)))
    ]


def _fuzzy_problem(
    key: str, indicators: dict[str, Indicator], named: tuple[str, ...]
) -> tuple[str, str | None] | None:
    name = key.partition(".")[0]
    if problem := output_problem(key, indicators):
        return problem, nearest(name, named) if name not in indicators else None
    if is_scale_free(indicators[name]):
        return None
    scales = INDICATOR_SPECS[indicators[name].type].parameters.model_fields["scale"].default
    return (
        f"`{key}` is in price units; features on back-adjusted prices must be scale-free",
        f"write `scale: {scales}`",
    )


def _valid_indicators(given: dict[str, Any]) -> Iterator[tuple[str, Indicator]]:
    for name, each in given.items():
        try:
            yield name, Indicator.model_validate(each)
        except ValidationError:
            continue
