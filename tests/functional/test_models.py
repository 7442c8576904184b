"""Models are listed and shown whatever lies beside them, and where none can be saved none is trained."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.one_process import OneProcess, one_process

STRATEGY = Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml"
FORMER = Path(__file__).parents[1] / "unit" / "training" / "former_model"


@pytest.fixture
def ktrdr(tmp_path: Path) -> Iterator[OneProcess]:
    with one_process(tmp_path / "k") as found:
        yield found


def test_a_damaged_model_is_named_and_hides_no_other(ktrdr: OneProcess) -> None:
    shutil.copytree(FORMER, ktrdr.settings.models_dir)
    (good,) = (ktrdr.settings.models_dir / "former").iterdir()
    shutil.copytree(good, good.with_name("zz-damaged"))
    (good.with_name("zz-damaged") / "model.json").write_text("[1]")
    listed = ktrdr.run("models", "list")
    assert good.name in listed.stdout
    assert "zz-damaged" not in listed.stdout
    assert "warning: model `former/zz-damaged` is damaged" in listed.stderr
    assert "is damaged" in ktrdr.run("models", "show", "former/zz-damaged", expect=2).stderr


def test_all_that_a_training_told_is_shown_again(ktrdr: OneProcess) -> None:
    trained = ktrdr.json("models", "train", str(STRATEGY), "--epochs", "2")
    shown = ktrdr.json("models", "show", "trend_momentum")
    told = trained["result"]
    assert shown["training"]["operation"] == trained["operation_id"]
    assert shown["training"]["report"] == told["report"]
    assert shown["metrics"]["test_metrics"] == told["test_metrics"]
    assert shown["metrics"]["baselines"] == told["baselines"]
    assert [each["epoch"] for each in shown["history"]] == [1, 2]
    page = ktrdr.run("models", "show", "trend_momentum", "--curve").stdout
    folder = ktrdr.settings.models_dir / told["model_info"]["name"]
    for words in (trained["operation_id"], str(folder), "best 2 of 2", "validation loss", "seed"):
        assert words.lower() in page.lower()
    (row,) = ktrdr.run("models", "list", "--symbol", "AAPL", "-o", "csv").stdout.splitlines()[1:]
    assert "triple_barrier 10" in row
    assert "There are no such models." in ktrdr.run("models", "list", "--symbol", "TSLA").stderr


def test_where_no_model_can_be_saved_none_is_trained(ktrdr: OneProcess, tmp_path: Path) -> None:
    ktrdr.settings.models_dir.mkdir()
    (ktrdr.settings.models_dir / "trend_momentum").symlink_to(tmp_path)
    failed = ktrdr.run("models", "train", str(STRATEGY), expect=1)
    assert "leads out of the models folder" in failed.stderr
    (operation,) = ktrdr.operations()
    assert operation["progress"]["percentage"] == 0.0
    assert ktrdr.json("models", "train", str(STRATEGY), "--dry-run")["status"] == "completed"
