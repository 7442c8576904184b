"""A training's results as lines of text: figures, baselines beside them, what is undefined as a dash."""

from collections.abc import Mapping, Sequence
from typing import Any

from ktrdr.cli.safe_text import safe

Metrics = Mapping[str, Any]

ROWS = (
    ("Accuracy", "accuracy"),
    ("Balanced accuracy", "balanced_accuracy"),
    ("Macro precision", "precision_macro"),
    ("Macro recall", "recall_macro"),
    ("Macro F1", "f1_macro"),
    ("Log-loss skill", "log_loss_skill"),
    ("Direction", "direction"),
)
COLUMNS = ("train", "validation", "test", "majority", "RSI rule", "linear")
LABEL_WIDTH, COLUMN_WIDTH = 20, 11


def performance_lines(summary: Metrics, performance: Metrics, *, verbose: bool) -> list[str]:
    """Return the results table, the verdict and where the model is."""
    baselines, model, verdict = (performance[name] for name in ("baselines", "model_info", "verdict"))
    columns = [performance[f"{name}_metrics"] for name in ("training", "validation", "test")]
    columns += [baselines[name] for name in ("majority", "rsi_rule", "linear")]
    return [
        _headline(summary, model),
        _row("", COLUMNS),
        *(_row(title, [figure(each.get(key)) for each in columns]) for title, key in ROWS),
        *(_per_class(performance["test_metrics"]) if verbose else ()),
        _uncertainty(performance["test_metrics"]),
        f"  Verdict  {safe(verdict['sentence'])}",
        _facts(model),
        f"  Saved  {safe(model['name'])}   ktrdr models show {safe(model['name'])}",
        *(f"  warning: {safe(each)}" for each in summary["report"]["warnings"]),
    ]


def dry_run_lines(summary: Metrics) -> list[str]:
    """Return where every bar would go, the split, class shares and warnings; nothing was trained."""
    report = summary["report"]
    names = ("loaded", "warm_up", "non_finite", "unlabelled", "purged", "embargoed", "used")
    ledger = [_row(safe(row["symbol"]), [f"{row[name]:,}" for name in names]) for row in report["ledger"]]
    return [
        f"{safe(summary['strategy'])} · dry run, nothing was trained",
        _row("Bars", [name.replace("_", " ") for name in names]),
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


def _row(title: str, cells: Sequence[str]) -> str:
    return f"  {title:<{LABEL_WIDTH}}" + "".join(f"{cell:>{COLUMN_WIDTH}}" for cell in cells)


def _per_class(test: Metrics) -> list[str]:
    lines = [_row("Test, per class", ("precision", "recall", "F1", "rows"))]
    for name, each in test["per_class"].items():
        cells = [figure(each[key]) for key in ("precision", "recall", "f1")]
        lines.append(_row(f"  {safe(name)}", [*cells, f"{each['support']:,}"]))
    return lines


def _uncertainty(test: Metrics) -> str:
    interval = test["accuracy_interval"]
    words = f"{figure(interval[0])} ... {figure(interval[1])}" if interval else "– (too few blocks of dates)"
    samples = f"effective samples {test['effective_samples']:.0f} of {test['rows']:,}"
    return f"  Test accuracy, 95 %  {words}   {samples}"


def _facts(model: Metrics) -> str:
    return "   ".join(
        (
            f"  Training time {model['training_time_seconds']:.1f} s",
            f"parameters {model['parameters']:,}",
            f"model size {size(model['model_size_bytes'])}",
            f"seed {model['seed']}",
            f"device {safe(model['device'])}",
        )
    )


def _split_lines(splits: Mapping[str, Metrics]) -> list[str]:
    lines = []
    for name, part in splits.items():
        shares = "  ".join(f"{safe(each)} {share:.2f}" for each, share in part["class_shares"].items())
        effective = f"{part['rows']:,} rows, effective {part['effective_samples']:.0f}"
        lines.append(f"  {name:<{LABEL_WIDTH}}{part['first']} to {part['last']}  {effective}  {shares}")
    return lines
