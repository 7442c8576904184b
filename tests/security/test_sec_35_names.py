"""What a server calls a file decides nothing: the user names it, and nothing there is replaced unasked."""

from pathlib import Path

import httpx2 as httpx
import pytest

from ktrdr.errors import InputInvalid
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.settings import Settings
from support.one_process import OneProcess

EVIL = ("../../evil.csv", "/etc/evil.csv", "mine.csv", ".bashrc", "a b")
NAMES = ("../evil", "/evil", "..", ".hidden", "a/b", "a\\b", "a\nb", "", "x" * 65)


def bars(name: str) -> httpx.MockTransport:
    """Return a server whose bars come under a name of its choosing."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": "text/csv"}
    return httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=b"time\n"))


@pytest.mark.parametrize("name", EVIL)
def test_sec_35_an_export_goes_where_the_user_says_and_nowhere_else(tmp_path: Path, name: str) -> None:
    ktrdr = OneProcess(Settings.load({"KTRDR_HOME": str(tmp_path / "home")}), bars(name))
    folder = tmp_path / "folder"
    folder.mkdir()
    wanted = folder / "wanted.csv"
    ktrdr.run("data", "export", "AAPL", str(wanted))
    assert [each.name for each in folder.iterdir()] == ["wanted.csv"]
    refused = ktrdr.run("data", "export", "AAPL", str(wanted), expect=2)
    assert "exists already" in refused.stderr
    assert wanted.read_text() == "time\n"


@pytest.mark.parametrize("name", NAMES)
def test_sec_35_a_file_of_a_model_never_lies_outside_its_folder(tmp_path: Path, name: str) -> None:
    catalog = ModelCatalog(tmp_path / "models")
    places = ((name, "run", "model.json"), ("trend", name, "model.json"), ("trend", "run", name))
    for strategy, run_id, file in places:
        with pytest.raises(InputInvalid, match="is not a name"):
            catalog.save(strategy, run_id, {"model.json": b"{}", file: b"{}"})
    assert not list(tmp_path.rglob("*evil*"))
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]
