"""What a training is asked and what it answers."""

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ktrdr.invalid_fields import check
from ktrdr.operations.kind import OperationKind
from ktrdr.strategies.bar_terms import Day
from ktrdr.strategies.provider_name import ProviderName
from ktrdr.strategies.strategy import Strategy, Symbol, Timeframe
from ktrdr.strategies.strategy_file import parse_strategy

METRICS = dict[str, Any]
Section = TypeVar("Section", bound=BaseModel)


class TrainingRequest(BaseModel):
    """A strategy's text beside its name, and what replaces parts of it; unset means as the file says."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    strategy_name: str = Field(max_length=200)
    strategy: str = Field(max_length=262_144)
    symbols: tuple[Symbol, ...] = Field(default=(), max_length=50)
    timeframes: tuple[Timeframe, ...] = Field(default=(), max_length=1)
    start_date: Day | None = None
    end_date: Day | None = None
    provider: ProviderName | None = None
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    epochs: int | None = Field(default=None, ge=1, le=100_000)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dry_run: bool = False
    detailed_analytics: bool = False

    def resolved(self) -> Strategy:
        """Return the strategy with the request's replacements; raises InputInvalid."""
        strategy = parse_strategy(self.strategy, self.strategy_name)
        data = {
            "symbols": self.symbols or None,
            "timeframe": self.timeframes[0] if self.timeframes else None,
            "start": self.start_date,
            "end": self.end_date,
            "provider": self.provider,
        }
        training = {"seed": self.seed, "epochs": self.epochs}
        return strategy.model_copy(
            update={
                "data": _replaced(strategy.data, data),
                "training": _replaced(strategy.training, training),
            }
        )


class TrainingResult(BaseModel):
    """Metrics and baselines (`null` where undefined), the model, and where every bar went."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: str
    symbols: tuple[str, ...]
    timeframe: str
    dry_run: bool
    report: dict[str, Any]
    training_metrics: METRICS | None = None
    validation_metrics: METRICS | None = None
    test_metrics: METRICS | None = None
    baselines: METRICS | None = None
    verdict: METRICS | None = None
    model_info: dict[str, Any] | None = None


def describe(request: TrainingRequest) -> str:
    """Return the words of a list: strategy, symbols, timeframe; raises InputInvalid for no strategy."""
    strategy = request.resolved()
    words = (strategy.name, ",".join(strategy.data.symbols), strategy.data.timeframe)
    return " ".join((*words, "dry run") if request.dry_run else words)


def sources(request: TrainingRequest) -> frozenset[str] | None:
    """Return the provider that the request, or else the strategy, names; raises InputInvalid."""
    provider = request.resolved().data.provider
    return frozenset({provider}) if provider else None


def _replaced(section: Section, values: dict[str, Any]) -> Section:
    given = {name: value for name, value in values.items() if value is not None}
    replaced = {**section.model_dump(), **given}
    check(type(section), replaced)
    return type(section).model_validate(replaced)


KIND = OperationKind(
    name="training",
    start_path="/api/v1/trainings/start",
    request_model=TrainingRequest,
    result_model=TrainingResult,
    describe=describe,
    sources=sources,
)
