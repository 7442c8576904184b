"""One shape of progress from the worker to the screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """One weighted step of an operation; `percentage` is 0 to 100 of this phase alone."""

    name: str
    weight: float = 1.0
    percentage: float = 0.0
    elapsed_seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class GenericProgressState:
    """What is known of an operation's progress; `percentage` is 0 to 100 over all phases."""

    operation_id: str = ""
    percentage: float = 0.0
    current_step: str = ""
    steps_completed: int = 0
    steps_total: int = 0
    message: str = ""
    items_processed: int = 0
    items_total: int | None = None
    current_item: str | None = None
    estimated_remaining_seconds: float | None = None
    queue_position: int | None = None
    seq: int = 0
    phases: tuple[PhaseProgress, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    def finished(self) -> "GenericProgressState":
        """Return this progress at its end: every phase and the whole at 100 %, nothing remaining."""
        phases = tuple(replace(phase, percentage=100.0) for phase in self.phases)
        return replace(
            self,
            percentage=100.0,
            steps_completed=self.steps_total,
            estimated_remaining_seconds=None,
            phases=phases,
        )

    def weighed(self, seconds: Mapping[str, float]) -> "GenericProgressState":
        """Return this progress with phases that weigh so many seconds; as it is if one is unknown."""
        if not self.phases or any(phase.name not in seconds for phase in self.phases):
            return self
        phases = tuple(replace(phase, weight=seconds[phase.name]) for phase in self.phases)
        return replace(self, phases=phases, percentage=overall_percentage(phases))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON shape of `progress` in an operation."""
        names = (name for name in self.__dataclass_fields__ if name not in {"operation_id", "phases"})
        shape = {name: getattr(self, name) for name in names}
        shape["phases"] = [_phase_to_dict(phase) for phase in self.phases]
        shape["context"] = dict(self.context)
        return shape

    @classmethod
    def from_dict(cls, operation_id: str, shape: Mapping[str, Any]) -> "GenericProgressState":
        """Read the JSON shape; unknown fields of a newer server are ignored."""
        known = {name: shape[name] for name in cls.__dataclass_fields__ if name in shape}
        phases = tuple(_phase_from_dict(phase) for phase in known.pop("phases", ()))
        return cls(**{**known, "operation_id": operation_id, "phases": phases})


def overall_percentage(phases: Sequence[PhaseProgress]) -> float:
    """Return the weighted mean of the phases, so that the end of one never jumps back."""
    total = sum(phase.weight for phase in phases)
    if total <= 0:
        return 0.0
    return sum(phase.weight * phase.percentage for phase in phases) / total


def enter_phase(phases: Sequence[PhaseProgress], name: str) -> tuple[PhaseProgress, ...]:
    """Return the phases with every one before `name` finished."""
    names = [phase.name for phase in phases]
    index = names.index(name)
    finished = tuple(replace(phase, percentage=100.0) for phase in phases[:index])
    return (*finished, *phases[index:])


def _phase_to_dict(phase: PhaseProgress) -> dict[str, Any]:
    return {name: getattr(phase, name) for name in phase.__dataclass_fields__}


def _phase_from_dict(shape: Mapping[str, Any]) -> PhaseProgress:
    known = {name: shape[name] for name in PhaseProgress.__dataclass_fields__ if name in shape}
    return PhaseProgress(**known)
