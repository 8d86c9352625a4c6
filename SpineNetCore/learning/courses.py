"""The trainings that make one grader: a preset's, or its like made for a comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace

from SpineNetCore.learning.grader_recipe import FURTHER_RECIPE, GraderRecipe, Preset
from SpineNetCore.network import BranchPoint, NetworkConfig

_OTHER_SEEDS = 1000


@dataclass(frozen=True)
class Course:
    """Trainings one after the other, each going on from the weights of the one before.

    name: what their checkpoints and logs are called by.
    """

    name: str
    rounds: tuple[GraderRecipe, ...]

    @property
    def is_guided(self) -> bool:
        """Whether any of them needs the lesions of phantoms."""
        return any(recipe.guidance > 0 for recipe in self.rounds)

    def shortened(self, steps: int) -> Course:
        """With so many steps in every training, however long it was."""
        return replace(self, rounds=tuple(replace(recipe, steps=steps, epochs=0) for recipe in self.rounds))

    def branching_after(self, point: BranchPoint) -> Course:
        """With a network whose tasks part at another layer (Table 2)."""
        rounds = (replace(recipe, network=replace(recipe.network, branch_point=point)) for recipe in self.rounds)
        return Course(f"{self.name}-{point.value}", tuple(rounds))

    def for_swapped_patients(self) -> Course:
        """For the second of two models, whose validation and test patients are exchanged (section 5).

        ours: its random numbers are others too, since some recipes do not heed the validation patients.
        """
        rounds = tuple(replace(recipe, seed=recipe.seed + _OTHER_SEEDS) for recipe in self.rounds)
        return Course(f"{self.name}-swapped", rounds)


def course_of(preset: Preset) -> Course:
    """What a preset trains."""
    return Course(f"grader-{preset.value}", preset.rounds)


def course_further(network: NetworkConfig) -> Course:
    """What trains a finished grader further, on one's own labels for instance."""
    return Course("grader-further", (replace(FURTHER_RECIPE, network=network),))
