"""A trained model as files: everything that is needed to use it, check it and make it again."""

import io
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from safetensors.numpy import save

from ktrdr import __version__
from ktrdr.clock import SystemClock
from ktrdr.features.dataset import Dataset
from ktrdr.features.partition import Partition
from ktrdr.market_data.load import LoadedBars
from ktrdr.model_catalog.catalog import ModelCatalog, ScoredPeriod, make_run_id
from ktrdr.model_catalog.details import TRAINING_FILE
from ktrdr.strategies.strategy import Strategy
from ktrdr.strategies.strategy_file import strategy_to_yaml
from ktrdr.training.analytics import analytics_report
from ktrdr.training.baselines import Baselines
from ktrdr.training.evaluate import Evaluation
from ktrdr.training.linear import LinearFit
from ktrdr.training.records import TrainedNetwork
from ktrdr.training.saved_model import BASELINES_FILE, LINEAR_FILE, SCHEMA


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a training leaves behind; `probabilities` float64 [n, K] by split."""

    strategy: Strategy
    loaded: Mapping[str, LoadedBars]
    dataset: Dataset
    network: TrainedNetwork
    linear: LinearFit
    baselines: Baselines
    evaluation: Evaluation
    operation_id: str
    report: Mapping[str, Any]
    probabilities: Mapping[str, npt.NDArray[np.float64]]


def check_room(models: Path, strategy: Strategy) -> None:
    """Raise InputInvalid where the model could not be saved in the end."""
    ModelCatalog(models).check_room(strategy.name)


def scored_before(models: Path, strategy: Strategy, dataset: Dataset) -> int:
    """Return how many models were scored on bars of this test period."""
    return ModelCatalog(models).scored_before(_test_period(strategy, dataset))


def save_model(models: Path, record: RunRecord, *, detailed: bool) -> dict[str, Any]:
    """Save the model and return what is told of it: name, size in bytes, training time, parameters."""
    now = SystemClock().now()
    text = strategy_to_yaml(record.strategy)
    fingerprints = [each.fingerprint for each in record.loaded.values()]
    run_id = make_run_id(now, text, *fingerprints, __version__)
    shape = {"created_at": now.isoformat(), **_model(record)}
    files = _files(record, text, shape)
    told = _told(record)
    files[TRAINING_FILE] = _json({"operation": record.operation_id, "report": record.report, **told})
    if detailed:
        rows = analytics_report(record.network.history, record.dataset.classes)
        files["analytics.json"] = _json(rows)
    info = ModelCatalog(models).save(record.strategy.name, run_id, files)
    return {"name": info.name, "model_size_bytes": info.size, **told}


def _told(record: RunRecord) -> dict[str, Any]:
    return {
        "parameters": record.network.parameters,
        "training_time_seconds": record.network.train_seconds,
        "compiling_seconds": record.network.compile_seconds,
        "linear_seconds": record.linear.seconds,
        "best_epoch": record.network.best_epoch,
        "epochs_run": record.network.epochs_run,
        "stopped_early": record.network.stopped_early,
        "device": record.network.device,
        "seed": record.strategy.training.seed,
    }


def _files(record: RunRecord, text: str, shape: dict[str, Any]) -> dict[str, bytes]:
    return {
        "weights.safetensors": save(dict(record.network.weights)),
        "model.json": _json(shape),
        "strategy.yaml": text.encode(),
        LINEAR_FILE: save(dict(record.baselines.linear)),
        BASELINES_FILE: _json(_baselines(record)),
        "metrics.json": _json(asdict(record.evaluation)),
        "history.csv": _history(record.network),
        "predictions.parquet": _predictions(record),
        "ledger.json": _json([asdict(row) for row in record.dataset.ledger]),
        "environment.json": _json(_environment(record.network)),
    }


def _model(record: RunRecord) -> dict[str, Any]:
    dataset = record.dataset
    sets = {
        key: {name: shape.model_dump(mode="json") for name, shape in shapes.items()}
        for key, shapes in dataset.fitted_sets.items()
    }
    return {
        "schema": SCHEMA,
        "symbols": list(dataset.symbols),
        "architecture": record.strategy.model.model_dump(mode="json"),
        "features": list(dataset.feature_names),
        "fitted_sets": sets,
        "classes": list(dataset.classes),
        "pi": dataset.pi.tolist(),
        "data": {symbol: each.fingerprint for symbol, each in record.loaded.items()},
        "test_period": asdict(_test_period(record.strategy, dataset)),
        "verdict": record.evaluation.verdict["sentence"],
        "test_accuracy": record.evaluation.test_metrics["accuracy"],
    }


def _baselines(record: RunRecord) -> dict[str, Any]:
    linear = {"iterations": record.linear.iterations, "gradient_norm": record.linear.gradient_norm}
    return {"schema": SCHEMA, "rsi_rule": record.baselines.rsi_rule.to_dict(), "linear": linear}


def _test_period(strategy: Strategy, dataset: Dataset) -> ScoredPeriod:
    first, last = int(dataset.test.time.min()), int(dataset.test.time.max())
    return ScoredPeriod(tuple(dataset.symbols), strategy.data.timeframe, first, last)


def _history(network: TrainedNetwork) -> bytes:
    rows = [(row.epoch, row.train_loss, row.val_loss) for row in network.history]
    table = pl.DataFrame(rows, schema=["epoch", "train_loss", "val_loss"], orient="row")
    return table.write_csv().encode()


def _predictions(record: RunRecord) -> bytes:
    dataset = record.dataset
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    tables = [
        _prediction_rows(dataset, name, part, record.probabilities[name]) for name, part in parts.items()
    ]
    buffer = io.BytesIO()
    pl.concat(tables).write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _prediction_rows(
    dataset: Dataset, split: str, part: Partition, probabilities: npt.NDArray[np.float64]
) -> pl.DataFrame:
    columns = {f"p_{name.lower()}": probabilities[:, number] for number, name in enumerate(dataset.classes)}
    times = {
        name: pl.Series(values).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        for name, values in (("time", part.time), ("t1", part.t1))
    }
    symbols = [dataset.symbols[number] for number in part.symbol]
    return pl.DataFrame({"symbol": symbols, "label": part.y, **columns, **times}).with_columns(
        split=pl.lit(split)
    )


def _environment(network: TrainedNetwork) -> dict[str, str]:
    return {
        "ktrdr": __version__,
        "python": platform.python_version(),
        "jaxlib": version("jaxlib"),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "device": network.device,
    }


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, allow_nan=False).encode()
