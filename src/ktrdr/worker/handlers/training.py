"""Training: bars, features, the loop, evaluation, and the model on disk."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import jax

from ktrdr.errors import InputInvalid, TrainingFailed
from ktrdr.features.dataset import Dataset, build_dataset
from ktrdr.features.partition import Partition
from ktrdr.features.report import dataset_report
from ktrdr.kinds.training import TrainingRequest, TrainingResult
from ktrdr.market_data.load import LoadedBars
from ktrdr.operations.context import OperationContext
from ktrdr.operations.progress import PhaseProgress
from ktrdr.strategies.lint import lint
from ktrdr.strategies.strategy import Strategy
from ktrdr.training.baselines import Baselines, baselines_of
from ktrdr.training.checkpoint import CheckpointFolder
from ktrdr.training.config import TrainingConfig, from_strategy
from ktrdr.training.evaluate import Evaluation, Probabilities, corrected, evaluate
from ktrdr.training.linear import LinearFit, fit_linear
from ktrdr.training.loop import train
from ktrdr.training.network import initial_weights, parameter_count, predict
from ktrdr.training.records import Samples, TrainedNetwork, TrainingProgress
from ktrdr.worker.folders import Folders
from ktrdr.worker.handlers.training_artefact import RunRecord, check_room, save_model, scored_before
from ktrdr.worker.handlers.training_bars import bar_warnings, load_training_bars

PHASES = (
    PhaseProgress("Bars", 0.01),
    PhaseProgress("Features", 0.02),
    PhaseProgress("Training", 0.95),
    PhaseProgress("Evaluate", 0.02),
)


@dataclass(frozen=True, slots=True)
class _Prepared:
    strategy: Strategy
    loaded: dict[str, LoadedBars]
    dataset: Dataset
    report: dict[str, Any]


def handle(request: TrainingRequest, context: OperationContext, folders: Folders) -> TrainingResult:
    """Train the requested strategy, or with `dry_run` only say what would be trained on."""
    context.plan(PHASES[:2] if request.dry_run else PHASES)
    strategy = request.resolved()
    device = find_device(request.device)
    if not request.dry_run:
        check_room(folders.models, strategy)
    prepared = _prepare(strategy, context, folders)
    if request.dry_run:
        return _result(prepared, dry_run=True)
    config = from_strategy(strategy, len(prepared.dataset.classes))
    context.enter("Training", "compiling")
    network = _train(config, prepared.dataset, context, device, analytics=request.detailed_analytics)
    context.enter("Evaluate", "linear baseline")
    linear = _linear_baseline(prepared.dataset, context)
    context.report(95.0, "baselines and intervals")
    probabilities = _probabilities(strategy, prepared.dataset, network)
    evaluation, baselines = _evaluate(prepared, probabilities, linear, folders)
    context.report(100.0, "")
    record = RunRecord(
        strategy=strategy,
        loaded=prepared.loaded,
        dataset=prepared.dataset,
        network=network,
        linear=linear,
        baselines=baselines,
        evaluation=evaluation,
        operation_id=context.operation_id,
        report=prepared.report,
        probabilities=probabilities,
    )
    model = save_model(folders.models, record, detailed=request.detailed_analytics)
    return _result(prepared, dry_run=False, evaluation=evaluation, model=model)


def find_device(wanted: str) -> jax.Device | None:
    """Return the device asked for, None for JAX's own choice; raises InputInvalid if there is none."""
    if wanted == "auto":
        return None
    try:
        return jax.devices(wanted)[0]
    except RuntimeError:
        raise InputInvalid(f"there is no `{wanted}` device here", hint="use --device auto") from None


def _prepare(strategy: Strategy, context: OperationContext, folders: Folders) -> _Prepared:
    context.enter("Bars")
    loaded = load_training_bars(strategy.data, context, folders)
    context.enter("Features")
    dataset = build_dataset({symbol: each.bars for symbol, each in loaded.items()}, strategy)
    report = dataset_report(dataset)
    inputs = len(dataset.feature_names)
    config = from_strategy(strategy, len(dataset.classes))
    weights = initial_weights(inputs, config.hidden, config.classes, config.seed)
    report["parameters"] = parameter_count(weights)
    report["warnings"] = [*lint(strategy), *bar_warnings(loaded), *report["warnings"]]
    rows = sum(row.used for row in dataset.ledger)
    context.report(100.0, f"{inputs} inputs, {rows:,} rows")
    return _Prepared(strategy, loaded, dataset, report)


def _train(
    config: TrainingConfig,
    dataset: Dataset,
    context: OperationContext,
    device: jax.Device | None,
    *,
    analytics: bool,
) -> TrainedNetwork:
    return train(
        config,
        _samples(dataset.train),
        _samples(dataset.validation),
        on_progress=_reporter(context),
        checkpoints=CheckpointFolder(context.work_folder / "checkpoints"),
        device=device,
        analytics=analytics,
    )


def _reporter(context: OperationContext) -> Callable[[TrainingProgress], None]:
    def report(progress: TrainingProgress) -> None:
        done = (progress.epoch - 1) * progress.batches + progress.batch
        context.report(
            100.0 * done / (progress.epochs * progress.batches),
            _words(progress),
            items_processed=done,
            items_total=progress.epochs * progress.batches,
            context={
                "epoch_index": progress.epoch,
                "total_epochs": progress.epochs,
                "batch_number": progress.batch,
                "batch_total_per_epoch": progress.batches,
                "epoch_metrics": {"train_loss": progress.train_loss, "val_loss": progress.val_loss},
            },
        )

    return report


def _words(progress: TrainingProgress) -> str:
    words = f"Epoch {progress.epoch}/{progress.epochs}, Batch {progress.batch}/{progress.batches}"
    if progress.val_loss is None or progress.best_loss is None:
        return words
    best = f"(best {progress.best_loss:.3f} at {progress.best_epoch})"
    return f"{words}, loss {progress.train_loss:.3f}, val {progress.val_loss:.3f} {best}"


def _samples(part: Partition) -> Samples:
    return Samples(part.x, part.y, part.weight)


def _evaluate(
    prepared: _Prepared,
    model: Mapping[str, Probabilities],
    linear: LinearFit,
    folders: Folders,
) -> tuple[Evaluation, Baselines]:
    dataset = prepared.dataset
    baselines = baselines_of(dataset.train, dataset.pi, linear)
    before = scored_before(folders.models, prepared.strategy, dataset)
    return evaluate(dataset, model, baselines, scored_before=before), baselines


def _linear_baseline(dataset: Dataset, context: OperationContext) -> LinearFit:
    def report(number: int, norm: float) -> None:
        context.report(min(90.0, 10.0 * number), f"linear baseline, iteration {number}, gradient {norm:.0e}")

    train = dataset.train
    fit = fit_linear(train.x, train.y, train.u, len(dataset.classes), on_iteration=report)
    if not fit.has_converged:
        raise TrainingFailed(
            f"the linear baseline did not converge in {fit.iterations} iterations",
            hint="look at the inputs with --dry-run; a set that is nearly always 0 or 1 says little",
        )
    return fit


def _probabilities(strategy: Strategy, dataset: Dataset, network: TrainedNetwork) -> dict[str, Probabilities]:
    balanced = strategy.training.class_weights == "balanced"
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        name: corrected(
            predict(network.weights, part.x, strategy.model.activation), dataset.pi, balanced=balanced
        )
        for name, part in parts.items()
    }


def _result(
    prepared: _Prepared,
    *,
    dry_run: bool,
    evaluation: Evaluation | None = None,
    model: dict[str, Any] | None = None,
) -> TrainingResult:
    strategy = prepared.strategy
    return TrainingResult(
        strategy=strategy.name,
        symbols=strategy.data.symbols,
        timeframe=strategy.data.timeframe,
        dry_run=dry_run,
        report=prepared.report,
        model_info=model,
        **(asdict(evaluation) if evaluation else {}),
    )
