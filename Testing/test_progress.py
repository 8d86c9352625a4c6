from __future__ import annotations

import pytest

from SpineNetCore.progress import Stages, silent


@pytest.fixture
def seen() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture
def stages(seen) -> Stages:
    return Stages(lambda stage, done, total: seen.append((stage, done, total)))


def test_a_stage_begins_at_none_and_ends_at_all(stages, seen):
    with stages.stage("score") as count:
        count(2, 5)
        count(3, 5)

    assert seen == [("score", 0, 1), ("score", 2, 5), ("score", 3, 5), ("score", 5, 5)]


def test_a_stage_that_counts_nothing_is_done_all_the_same(stages, seen):
    with stages.stage("read"):
        pass

    assert seen == [("read", 0, 1), ("read", 1, 1)]


def test_seconds_are_kept_per_stage_in_their_order(stages, monkeypatch):
    ticks = iter([10.0, 12.5, 20.0, 20.25])
    monkeypatch.setattr("SpineNetCore.progress.time.perf_counter", lambda: next(ticks))
    for name in ("read", "localise"):
        with stages.stage(name):
            assert name not in stages.seconds

    assert list(stages.seconds.items()) == [("read", 2.5), ("localise", 0.25)]


def test_a_stage_that_fails_is_never_called_done(stages, seen):
    with pytest.raises(ZeroDivisionError), stages.stage("cut"):
        raise ZeroDivisionError

    assert seen == [("cut", 0, 1)]
    assert stages.seconds == {}


def test_nobody_need_watch(capsys):
    stages = Stages(silent)
    with stages.stage("read") as count:
        count(1, 2)

    assert list(stages.seconds) == ["read"]
    assert capsys.readouterr() == ("", "")
