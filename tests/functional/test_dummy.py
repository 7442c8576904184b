"""The dummy as a user runs it: the example that every other kind copies."""

from support.installation import Installation


def test_it_counts_and_says_how_long_it_took(ktrdr: Installation) -> None:
    shown = ktrdr.run("dummy", "run", "--duration", "0.2", "--iterations", "4")
    assert shown.stdout.splitlines()[0] == "Iterations completed  4"
    assert shown.stdout.splitlines()[1].startswith("Total time            0.")
    assert "follow: ktrdr operations follow op_dummy_" in shown.stderr


def test_json_is_one_object_with_the_whole_truth(ktrdr: Installation) -> None:
    answer = ktrdr.json("dummy", "run", "--duration", "0.1", "--iterations", "2")
    assert answer["status"] == "completed"
    assert answer["exit_code"] == 0
    assert answer["result"]["iterations_completed"] == 2
    assert answer["operation"]["progress"]["percentage"] == 100.0


def test_quiet_writes_the_result_alone(ktrdr: Installation) -> None:
    shown = ktrdr.run("dummy", "run", "--duration", "0.1", "--iterations", "2", "-q")
    assert len(shown.stdout.splitlines()) == 2
    assert shown.stderr == ""
