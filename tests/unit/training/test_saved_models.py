"""Models on disk: one of the former layout is read for ever, one of a later layout never guessed at."""

import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ktrdr.errors import InputInvalid
from ktrdr.market_data.sample import load_sample
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.training.saved_model import SCHEMA, load_model

FORMER = ModelCatalog(Path(__file__).parent / "former_model")


def test_a_model_of_the_former_layout_says_what_it_said_when_it_was_saved() -> None:
    saved = pl.read_parquet(io.BytesIO(FORMER.read("former", "predictions.parquet")))
    bars = load_sample("MSFT").filter(pl.col("time").dt.year() >= 2011)
    model = load_model(FORMER, "former")
    again = model.predict(bars)[bars["time"].search_sorted(saved["time"]).to_numpy()]
    np.testing.assert_allclose(again, saved.select("p_buy", "p_hold", "p_sell").to_numpy(), atol=2e-5)
    assert model.predict_baselines(bars) == {}


def test_a_model_of_the_former_layout_is_listed_and_shown() -> None:
    (listed,) = FORMER.list()
    assert FORMER.show("former") == listed
    assert listed.model["test_accuracy"] == pytest.approx(27 / 52)


def test_a_model_of_a_later_layout_is_refused_in_a_sentence(tmp_path: Path) -> None:
    catalog = ModelCatalog(tmp_path)
    shape = {"created_at": "2030-01-01T00:00:00+00:00", "schema": SCHEMA + 1}
    files = {"model.json": json.dumps(shape).encode(), "weights.safetensors": b""}
    catalog.save("later", "run", files)
    with pytest.raises(InputInvalid, match=f"has layout {SCHEMA + 1}, this ktrdr reads up to {SCHEMA}"):
        load_model(catalog, "later")
