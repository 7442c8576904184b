"""A training's results as lines of text: figures, baselines beside them, what is undefined as a dash."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from ktrdr.cli.safe_text import safe

Metrics = Mapping[str, Any]

ROWS = (
    ("Log-loss skill", "log_loss_skill"),
    ("Direction (p/π)", "direction"),
    ("Accuracy", "accuracy"),
    ("Balanced accuracy", "balanced_accuracy"),
    ("Macro precision", "precision_macro"),
    ("Macro F1", "f1_macro"),
    ("MCC", "mcc"),
    ("Balanced acc. (p/π)", "lift_balanced_accuracy"),
)
TIMES = (
    ("Training time", "training_time_seconds"),
    ("compiling", "compiling_seconds"),
    ("linear baseline", "linear_seconds"),
)
SHARES = (("of rows", "class_shares"), ("of weight", "class_weights"))
COLUMNS = ("train", "validation", "test", "majority", "RSI rule", "linear")
BARS = ("loaded", "warm_up", "non_finite", "unlabelled", "purged", "embargoed", "used")
WIDTH, LABEL_WIDTH, NARROW_LABEL = 80, 20, 9


def performance_lines(summary: Metrics, performance: Metrics, *, verbose: bool) -> list[str]:
    """Return the results table, the verdict and where the model is."""
    model = performance["model_info"]
    return [
        _headline(summary, model),
        *judgement_lines(performance, verbose=verbose),
        *_facts(model),
        f"  Saved    {safe(model['name'])}",
        f"  Show it  ktrdr models show {safe(summary['strategy'])}",
        *(f"  warning: {safe(each)}" for each in summary["report"]["warnings"]),
    ]


def judgement_lines(performance: Metrics, *, verbose: bool) -> list[str]:
    """Return the metrics with the baselines beside them, intervals and the verdict."""
    baselines, verdict, test = (performance[name] for name in ("baselines", "verdict", "test_metrics"))
    columns = [performance[f"{name}_metrics"] for name in ("training", "validation", "test")]
    columns += [baselines[name] for name in ("majority", "rsi_rule", "linear")]
    columns = [_of_one_decision(each) for each in columns]
    return [
        _row("", COLUMNS, COLUMNS),
        *(_row(title, COLUMNS, [figure(each.get(key)) for each in columns]) for title, key in ROWS),
        *(_per_symbol(test["per_symbol"]) if test.get("per_symbol") else ()),
        *(_per_class(test) if verbose and test.get("per_class") else ()),
        *_uncertainty(test),
        *_wrapped("Verdict", safe(verdict["sentence"])),
    ]


def _of_one_decision(metrics: Metrics) -> Metrics:
    """Return metrics as they are; a former build decided two of them by p/π and did not say so."""
    if "lift_balanced_accuracy" in metrics:
        return metrics
    by_lift = metrics.get("balanced_accuracy")
    return {**metrics, "balanced_accuracy": None, "mcc": None, "lift_balanced_accuracy": by_lift}


def dry_run_lines(summary: Metrics) -> list[str]:
    """Return where every bar would go, the split, class shares and warnings; nothing was trained."""
    report = summary["report"]
    titles = [name.replace("_", " ") for name in BARS]
    ledger = [
        _row(safe(row["symbol"]), titles, [f"{row[name]:,}" for name in BARS], NARROW_LABEL)
        for row in report["ledger"]
    ]
    return [
        f"{safe(summary['strategy'])} · dry run, nothing was trained",
        _row("Bars", titles, titles, NARROW_LABEL),
        *ledger,
        *_split_lines(report["splits"]),
        f"  Inputs {report['inputs']}   parameters {report['parameters']:,}",
        *(f"  warning: {safe(each)}" for each in report["warnings"]),
    ]


def figure(value: float | None) -> str:
    """Return three decimals, or a dash for what is undefined."""
    return "–" if value is None else f"{value:.3f}"


def size(count: int) -> str:
    """Return bytes in words: `2.4 kB`."""
    return f"{count} B" if count < 1000 else f"{count / 1000:.1f} kB"


def _headline(summary: Metrics, model: Metrics) -> str:
    symbols = ", ".join(map(safe, summary["symbols"]))
    stopped = " (stopped early)" if model["stopped_early"] else ""
    epochs = f"best epoch {model['best_epoch']} of {model['epochs_run']}{stopped}"
    return f"{safe(summary['strategy'])} · {symbols} {safe(summary['timeframe'])} · {epochs}"


def _row(title: str, columns: Sequence[str], cells: Sequence[str], label: int = LABEL_WIDTH) -> str:
    """Return a line whose cells stand under the titles of their columns, two spaces apart."""
    places = (f"{cell:>{max(8, len(name) + 2)}}" for name, cell in zip(columns, cells, strict=True))
    return f"  {title:<{label}}{''.join(places)}"


def _per_symbol(symbols: Mapping[str, Metrics | float | None]) -> list[str]:
    titles, keys = ("rows", "skill", "direction", "accuracy"), ("log_loss_skill", "direction", "accuracy")
    lines = [_row("Test, per symbol", titles, titles)]
    for name, each in symbols.items():
        known = each if isinstance(each, Mapping) else {"accuracy": each}  # a former build knew no more
        rows = f"{known['rows']:,}" if "rows" in known else "–"
        lines.append(_row(f"  {safe(name)}", titles, [rows, *(figure(known.get(key)) for key in keys)]))
    return lines


def _per_class(test: Metrics) -> list[str]:
    titles = ("precision", "recall", "F1", "rows")
    lines = [_row("Test, per class", titles, titles)]
    for name, each in test["per_class"].items():
        cells = [figure(each[key]) for key in ("precision", "recall", "f1")]
        lines.append(_row(f"  {safe(name)}", titles, [*cells, f"{each['support']:,}"]))
    return lines


def _uncertainty(test: Metrics) -> list[str]:
    return [
        f"  Test direction, 95 %  {_interval(test.get('direction_interval'))}",
        f"  Test accuracy, 95 %   {_interval(test['accuracy_interval'])}"
        f"   effective samples {test['effective_samples']:.0f} of {test['rows']:,}",
    ]


def _interval(pair: Sequence[float] | None) -> str:
    return f"{figure(pair[0])} ... {figure(pair[1])}" if pair else "– (too few dates)"


def _wrapped(title: str, words: str) -> list[str]:
    indent = f"  {title}  "
    return wrap(words, WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent))


def _facts(model: Metrics) -> list[str]:
    times = [f"{words} {model[key]:.1f} s" for words, key in TIMES if key in model]
    return [
        f"  {'   '.join(times)}",
        f"  Parameters {model['parameters']:,}   model size {size(model['model_size_bytes'])}"
        f"   seed {model['seed']}   device {safe(model['device'])}",
    ]


def _split_lines(splits: Mapping[str, Metrics]) -> list[str]:
    lines = []
    for name, part in splits.items():
        facts = f"{part['rows']:,} rows, effective {part['effective_samples']:.0f}"
        lines.append(f"  {name:<12}{part['first']} to {part['last']}   {facts}")
        for title, key in SHARES:
            shares = "  ".join(f"{safe(each)} {share:.3f}" for each, share in part.get(key, {}).items())
            lines.append(f"  {'':<12}{title:<9}  {shares}")
    return lines
