"""What workers learn of limits outlives them: it stands in SQL, with its age, until a route is reset."""

import pytest

from holdfast.model.call_result import Dimension
from holdfast.policy.learned_limit import LearnedLimit
from holdfast.policy.rate_estimate import Stage
from holdfast.store.learned_limits import forget_limits, keep_limits, read_limits
from store.scene import Scene

LIMIT = LearnedLimit(
    "local/main:m", Stage.LEARNED, 24_000.0, 40.5, told={Dimension.INPUT_TOKENS: 5_970.0, Dimension.REQUESTS: 30_000.0}
)


def kept(scene: Scene) -> dict[str, LearnedLimit]:
    return scene.store.read(read_limits)


def test_what_was_written_last_is_what_is_read(scene: Scene) -> None:
    scene.store.write(keep_limits, [LIMIT, LearnedLimit("other/main:m", told={Dimension.OUTPUT_TOKENS: 1.5})])
    scene.store.write(keep_limits, [LearnedLimit("other/main:m", Stage.GROWING, 9_000.0, 15.0)])
    found = kept(scene)
    assert [found["local/main:m"], found["other/main:m"]] == [
        LearnedLimit(LIMIT.bucket, LIMIT.stage, 24_000.0, 40.5, LIMIT.told, age=pytest.approx(0.0, abs=60)),
        LearnedLimit("other/main:m", Stage.GROWING, 9_000.0, 15.0, age=pytest.approx(0.0, abs=60)),
    ]


def test_it_ages(scene: Scene) -> None:
    scene.store.write(keep_limits, [LearnedLimit("local/main:m", Stage.LEARNED, 24_000.0, age=100.0)])
    assert kept(scene)["local/main:m"].age == pytest.approx(100.0, abs=60)


def test_one_provider_is_forgotten_whatever_signs_its_name_has(scene: Scene) -> None:
    names = ("a_b/main:m", "a_b/other:m", "axb/main:m", "a_b2/main:m")
    scene.store.write(keep_limits, [LearnedLimit(name) for name in names])
    scene.store.write(forget_limits, "a_b")
    assert sorted(kept(scene)) == ["a_b2/main:m", "axb/main:m"]
