"""Training as a user does it: results, dry run, refusals, and the same bytes twice."""

import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ktrdr.market_data.sample import load_sample
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.training.metrics import log_loss
from ktrdr.training.saved_model import load_model
from support.installation import Installation

STRATEGY = Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml"


def weights(ktrdr: Installation, file: str = "weights.safetensors") -> list[bytes]:
    return [path.read_bytes() for path in sorted(ktrdr.settings.models_dir.glob(f"*/*/{file}"))]


def test_a_training_ends_with_metrics_baselines_and_a_model(ktrdr: Installation) -> None:
    answer = ktrdr.json("models", "train", str(STRATEGY))
    result = answer["result"]
    assert answer["status"] == "completed"
    assert 0 < result["test_metrics"]["f1_macro"] < 1
    assert set(result["baselines"]) == {"majority", "rsi_rule", "linear"}
    assert result["baselines"]["majority"]["direction"] == 0.5
    assert result["baselines"]["majority"]["log_loss_skill"] == 0.0
    assert result["verdict"]["scored_before"] == 0
    for name in ("prior", "rsi_rule", "linear", "majority", "direction"):
        low, high = result["verdict"]["intervals"][name]
        assert (result["verdict"][name] == "not distinguishable") == (low <= 0 <= high)
    shown = ktrdr.json("models", "show", "trend_momentum")
    assert shown["name"] == result["model_info"]["name"]


def test_trap_22_the_same_seed_gives_the_same_bytes_in_fresh_processes(ktrdr: Installation) -> None:
    for _ in range(2):
        ktrdr.run("models", "train", str(STRATEGY), "--epochs", "6", "-q")
    first, second = weights(ktrdr)
    assert first == second
    ktrdr.run("models", "train", str(STRATEGY), "--epochs", "6", "--seed", "7", "-q")
    assert len(set(weights(ktrdr))) == 2
    assert len(set(weights(ktrdr, "linear.safetensors"))) == 1, "the opponent has no seed"


def test_the_second_model_on_a_test_period_is_called_the_second(ktrdr: Installation) -> None:
    for _ in range(2):
        last = ktrdr.json("models", "train", str(STRATEGY), "--epochs", "2")
    assert "2nd model scored on it" in last["result"]["verdict"]["sentence"]


def test_a_test_period_too_short_to_judge_is_called_so(ktrdr: Installation, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    text = STRATEGY.read_text().replace("horizon: 10", "horizon: 30")
    file.write_text(
        text.replace("train: 0.70, validation: 0.15, test: 0.15", "train: 0.80, validation: 0.15, test: 0.05")
    )
    shown = ktrdr.run("models", "train", str(file), "--epochs", "2").stdout
    said = " ".join(shown.split())
    assert "too few dates to judge against the prior, the RSI rule, the linear model" in said


def test_a_dry_run_accounts_for_every_bar_and_trains_nothing(ktrdr: Installation) -> None:
    result = ktrdr.json("models", "train", str(STRATEGY), "--dry-run")["result"]
    (row,) = result["report"]["ledger"]
    parts = ("warm_up", "non_finite", "unlabelled", "purged", "embargoed", "used")
    assert row["loaded"] == 3270 == sum(row[name] for name in parts)
    assert result["model_info"] is None
    assert weights(ktrdr) == []


def test_detailed_analytics_are_kept_with_the_model(ktrdr: Installation) -> None:
    ktrdr.run("models", "train", str(STRATEGY), "--epochs", "3", "--detailed-analytics", "-q")
    (file,) = ktrdr.settings.models_dir.glob("*/*/analytics.json")
    epochs = json.loads(file.read_text())["epochs"]
    assert len(epochs) == 3
    assert all(row["gradient_norm"] > 0 for row in epochs)
    assert set(epochs[0]["recall"]) == {"BUY", "HOLD", "SELL"}


def test_four_symbols_train_together(ktrdr: Installation) -> None:
    file = STRATEGY.with_name("trend_momentum_portfolio.yaml")
    result = ktrdr.json("models", "train", str(file), "--epochs", "3")["result"]
    per_symbol = result["test_metrics"]["per_symbol"]
    assert list(per_symbol) == ["AAPL", "GOOG", "IBM", "MSFT"]
    assert sum(each["rows"] for each in per_symbol.values()) == result["test_metrics"]["rows"]


def test_trap_21_a_senseless_learning_rate_fails_clearly(ktrdr: Installation, tmp_path: Path) -> None:
    file = tmp_path / "wild.yaml"
    file.write_text(STRATEGY.read_text().replace("learning_rate: 0.001", "learning_rate: 1.0e+30"))
    done = ktrdr.run("models", "train", str(file), expect=1)
    assert "loss became non-finite at epoch" in done.stderr
    assert "lower training.learning_rate" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("TSLA",), "`sample` has no bars of TSLA 1d"),
        (("AAPL", "1h"), "`sample` has no bars of AAPL 1h"),
        (("--start-date", "2020-01-01", "--end-date", "2020-02-01"), "no AAPL 1d bars from 2020-01-01"),
        (("--end-date", "2000-06-01"), "usable rows"),
        (("--device", "cuda"), "no `cuda` device"),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_sentence(
    ktrdr: Installation, arguments: tuple[str, ...], words: str
) -> None:
    done = ktrdr.run("models", "train", str(STRATEGY), *arguments, expect=1)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.yaml",), "cannot read `nothing.yaml`"),
        ((str(STRATEGY), "--epochs", "0"), "--epochs"),
        ((str(STRATEGY), "AAPL", "--symbols", "IBM"), "given twice"),
        ((str(STRATEGY), "--start-date", "soon"), "--start-date"),
        ((str(STRATEGY), "--start-date", "2013-01-01", "--end-date", "2001-01-01"), "is after end"),
        ((str(STRATEGY), "AAPL", "7d"), "1d"),
        ((str(STRATEGY), "--symbols", ","), "`,` names no symbol"),
        ((str(STRATEGY), "--symbols", ""), "`` names no symbol"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_starts(
    ktrdr: Installation, arguments: tuple[str, ...], words: str
) -> None:
    done = ktrdr.run("models", "train", *arguments, expect=2)
    assert words in done.stderr
    assert ktrdr.operations() == []


def test_the_table_shows_the_truth_and_the_classes_when_asked(ktrdr: Installation) -> None:
    shown = ktrdr.run("models", "train", str(STRATEGY), "--epochs", "2", "--verbose").stdout
    assert shown.startswith("trend_momentum · AAPL 1d · best epoch ")
    for words in (
        "Balanced accuracy",
        "majority  RSI rule  linear",
        "Balanced acc. (p/π)",
        "Test direction, 95 %",
        "compiling",
        "Test, per class",
        "    HOLD",
        "Verdict",
    ):
        assert words in shown
    (saved,) = (line.split()[1] for line in shown.splitlines() if line.startswith("  Saved"))
    assert saved in ktrdr.run("models", "list").stdout
    model = ktrdr.run("models", "show", "trend_momentum").stdout
    assert model.startswith(f"{saved} · AAPL 1d\n")
    assert "Network    27 inputs, hidden [16]" in model


def test_a_dry_run_shows_where_every_bar_would_go(ktrdr: Installation) -> None:
    shown = ktrdr.run("models", "train", str(STRATEGY), "--dry-run").stdout
    assert shown.startswith("trend_momentum · dry run, nothing was trained\n")
    for words in (
        "loaded  warm up",
        "of weight  BUY 0.",
        "3,270",
        "validation",
        "BUY 0.",
        "Inputs 27   parameters 499",
    ):
        assert words in shown


@pytest.mark.parametrize("name", ["nothing", "trend_momentum/20200101T000000000-00000000", "..", "a/../../b"])
def test_a_model_that_is_not_there_is_not_found(ktrdr: Installation, name: str) -> None:
    assert "no model" in ktrdr.run("models", "show", name, expect=5).stderr


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_trap_23_a_reloaded_model_says_what_was_saved(
    ktrdr: Installation, tmp_path: Path, class_weights: str
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(STRATEGY.read_text().replace("class_weights: none", f"class_weights: {class_weights}"))
    answer = ktrdr.json("models", "train", str(file), "--epochs", "3")["result"]
    name = answer["model_info"]["name"]
    catalog = ModelCatalog(ktrdr.settings.models_dir)
    saved = pl.read_parquet(io.BytesIO(catalog.read(name, "predictions.parquet")))
    bars = load_sample("AAPL")
    again = load_model(catalog, name).predict(bars)
    rows = bars["time"].search_sorted(saved["time"]).to_numpy()
    expected = saved.select("p_buy", "p_hold", "p_sell").to_numpy()
    np.testing.assert_allclose(again[rows], expected, rtol=1e-12)  # more rows at once add in another order
    in_test, label = (saved["split"] == "test").to_numpy(), saved["label"].to_numpy()
    for opponent, said in load_model(catalog, name).predict_baselines(bars).items():
        loss = log_loss(label[in_test], said[rows][in_test])
        kept = answer["baselines"]["majority" if opponent == "prior" else opponent]["log_loss"]
        assert loss == pytest.approx(kept, rel=1e-9), opponent
