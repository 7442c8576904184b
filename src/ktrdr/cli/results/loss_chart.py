"""How the losses of a training fell, as curves in a terminal."""

from collections.abc import Mapping, Sequence

import plotext

MOST_TICKS = 8
CURVES = (("train_loss", "training", "blue"), ("val_loss", "validation", "orange"))


def loss_chart(
    history: Sequence[Mapping[str, float]], *, width: int, height: int, coloured: bool
) -> list[str]:
    """Return lines of at most `width` characters; escape codes only if `coloured`."""
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    epochs = [each["epoch"] for each in history]
    for key, name, colour in CURVES:
        plotext.plot(epochs, [each[key] for each in history], label=f"{name} loss", color=colour)
    plotext.xticks(_places([int(each) for each in epochs]))
    plotext.xlabel("epoch")
    text: str = plotext.build()
    return (text if coloured else plotext.uncolorize(text)).rstrip("\n").split("\n")


def _places(epochs: Sequence[int]) -> list[int]:
    """Return some whole epochs from the first on."""
    return list(epochs[:: max(1, -(-len(epochs) // MOST_TICKS))])
