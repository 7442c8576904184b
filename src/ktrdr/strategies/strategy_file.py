"""From the text of a strategy file to a Strategy, with errors at file:line:column."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, MappingStartEvent, NodeEvent, SequenceStartEvent

from ktrdr.errors import StrategyInvalid
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.lint import unscaled_features
from ktrdr.strategies.strategy import Strategy

LARGEST = 256 * 1024
DEEPEST = 32
Path = tuple[str | int, ...]

NOT_YET = {
    "context": "context timeframes",
    "seeds": "training with several seeds",
    "null": "the null run",
    "folds": "walk-forward splits",
    "fuzzy_sets": "the older strategy grammar",
    "training_data": "the older strategy grammar",
}
PLAIN_WORDS = {
    "too_short": "needs at least {min_length}",
    "too_long": "may have at most {max_length}",
    "string_pattern_mismatch": "should be small letters, digits and `_`, beginning with a letter",
    "greater_than_equal": "should be at least {ge}",
    "greater_than": "should be above {gt}",
    "less_than_equal": "should be at most {le}",
    "less_than": "should be below {lt}",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "finite_number": "should be a finite number",
    "string_type": "should be text",
    "tuple_type": "should be a list",
    "model_type": "should be a mapping",
    "model_attributes_type": "should be a mapping",
    "dict_type": "should be a mapping",
    "date_from_datetime_parsing": "should be a date, as 2024-01-31",
    "date_type": "should be a date, as 2024-01-31",
}
_NOT_YET_VALUES = {("split", "type"): "split types other than by share"}


class _DatesAsText(RoundTripConstructor):
    """Leaves dates to the model, which says where a wrong one stands."""


_DatesAsText.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_scalar)


def parse_strategy(text: str, file_name: str) -> Strategy:
    """Read a strategy; raises StrategyInvalid whose message begins with `file:line:column`."""
    tree = _read_yaml(text, file_name)
    try:
        strategy = Strategy.model_validate(_plain(tree))
    except ValidationError as error:
        raise _located(error, tree, text, file_name) from None
    for key in unscaled_features(strategy):
        message = f"`{key}` is in price units; features on back-adjusted prices must be scale-free"
        raise _error(text, file_name, _position(tree, ("fuzzy", key)), message)
    return strategy


def strategy_to_yaml(strategy: Strategy) -> str:
    """Return the resolved strategy, every default written out, as text that parses to the same strategy."""
    shape = strategy.model_dump(mode="json")
    shape["indicators"] = {
        name: {"type": each.type, **each.parameters} for name, each in strategy.indicators.items()
    }
    stream = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # the library's stub is narrow
    yaml.dump(shape, stream)
    return stream.getvalue()


def _read_yaml(text: str, file_name: str) -> CommentedMap:
    if len(text.encode(errors="surrogatepass")) > LARGEST:
        raise StrategyInvalid(f"{file_name}:1:1: the file is larger than 256 kB")
    try:
        _check_structure(text, file_name)
        yaml = YAML(typ="rt", pure=True)
        yaml.Constructor = _DatesAsText
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = (mark.line, mark.column) if mark else (0, 0)
        problem = str(error.problem or "is not YAML").splitlines()[0]
        raise _error(text, file_name, where, f"not valid YAML: {problem}") from None
    except (YAMLError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise _error(text, file_name, (0, 0), f"not valid YAML: {first}") from None
    if not isinstance(tree, CommentedMap):
        raise _error(text, file_name, (0, 0), "a strategy is a mapping that begins with `name:`")
    return tree


def _check_structure(text: str, file_name: str) -> None:
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        mark = event.start_mark
        where = (mark.line, mark.column)
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            raise _error(text, file_name, where, "anchors and aliases are not allowed")
        tag = getattr(event, "tag", None)
        if tag and ("python" in str(tag) or not str(tag).startswith("tag:yaml.org,2002:")):
            raise _error(text, file_name, where, "tags are not allowed")
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _error(text, file_name, where, f"deeper than {DEEPEST} levels")
        elif type(event).__name__ in {"MappingEndEvent", "SequenceEndEvent"}:
            depth -= 1


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if isinstance(node, bool | None):
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _located(error: ValidationError, tree: CommentedMap, text: str, file_name: str) -> StrategyInvalid:
    first = error.errors()[0]
    path = _existing(tree, first["loc"] or _named_fuzzy_key(tree, first["msg"]))
    message, hint = _sentence(first["type"], first["msg"], path, first)
    return _error(text, file_name, _position(tree, path), message, hint)


def _named_fuzzy_key(tree: CommentedMap, words: str) -> Sequence[str | int]:
    """Return where the fuzzy key stands that a whole-strategy error names."""
    named = next((key for key in tree.get("fuzzy", ()) if f"`{key}`" in words), None)
    return ("fuzzy", named) if named else ()


def _sentence(kind: str, words: str, path: Path, first: Mapping[str, Any]) -> tuple[str, str | None]:
    key = str(path[-1]) if path else "strategy"
    missing = str(first["loc"][-1]) if first["loc"] else key
    within = f" in {_where(path[:-1])}" if len(path) > 1 else ""
    if kind == "extra_forbidden":
        if key in NOT_YET or path in _NOT_YET_VALUES:
            return f"`{key}`: {NOT_YET.get(key, 'this split type')} is not available yet", None
        near = difflib.get_close_matches(key, _allowed(path), 1)
        return f"unknown key `{key}`{within}", f"did you mean `{near[0]}`?" if near else None
    if kind == "missing":
        return f"`{missing}` is missing{' in ' + _where(path) if path else ''}", None
    if kind in PLAIN_WORDS:
        return f"`{key}`{within} {PLAIN_WORDS[kind].format(**first.get('ctx', {}))}", None
    plain = words.removeprefix("Value error, ").removeprefix("Input should be ")
    verb = "" if words.startswith("Value error") else "should be "
    return f"`{key}`{within} {verb}{plain}" if verb else f"{_where(path)}: {plain}", None


def _allowed(path: Path) -> Sequence[str]:
    if len(path) == 3 and path[0] == "indicators":
        return [name for spec in INDICATOR_SPECS.values() for name in spec.parameters.model_fields]
    model: Any = Strategy
    for part in path[:-1]:
        field = model.model_fields.get(str(part)) if _is_model(model) else None
        model = field.annotation if field else None
    if _is_model(model):
        return list(model.model_fields)
    return ["type", "horizon", "up", "down", "unit", "entry", "threshold", "sets", "fit", "names", "patience"]


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _existing(tree: Any, location: Sequence[str | int]) -> Path:
    """Keep of pydantic's location what stands in the file: it also names union members."""
    path: list[str | int] = []
    node = tree
    for part in location:
        in_mapping = isinstance(node, Mapping) and part in node
        in_list = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if in_mapping or in_list:
            node = node[part]
            path.append(part)
    return tuple(path)


def _position(tree: CommentedMap, path: Path) -> tuple[int, int]:
    node: Any = tree
    where = (0, 0)
    for part in path:
        if isinstance(node, CommentedMap):
            where = node.lc.key(part)
        elif isinstance(node, CommentedSeq):
            where = node.lc.item(part)
        node = node[part]
    return (int(where[0]), int(where[1]))


def _where(path: Path) -> str:
    names: Iterator[str] = (str(part) for part in path)
    return "`" + ".".join(names) + "`" if path else "the strategy"


def _error(
    text: str, file_name: str, where: tuple[int, int], message: str, hint: str | None = None
) -> StrategyInvalid:
    line, column = where
    lines = text.splitlines()
    detail: tuple[str, ...] = ()
    if line < len(lines):
        token = re.match(r"[\w.]+", lines[line][column:])
        caret = "^" * len(token.group(0) if token else "^")
        detail = (f"{line + 1:6} | {lines[line]}", " " * (9 + column) + caret)
    return StrategyInvalid(f"{file_name}:{line + 1}:{column + 1}: {message}", hint=hint, detail=detail)
