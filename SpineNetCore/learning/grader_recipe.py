"""How a grader learns: everything that decides what comes out, as the paper had it or quicker."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import Enum

from SpineNetCore.network import NetworkConfig


class Descent(Enum):
    """How the weights follow the gradient; its value is its name in files."""

    SGD_ON_PLATEAU = "sgd with momentum, the rate divided by 10 on plateaus of the validation loss"
    ADAMW_ONE_CYCLE = "adamw on a one-cycle rate"


@dataclass(frozen=True)
class GraderRecipe:
    """The defaults are ours, quicker than the paper's: the first training of the quick preset. Batch normalisation is
    folded away afterwards.

    steps: with batches drawn at random. phantoms: share of them that are phantoms where there are patients too, above 0
    and below 1. epochs: above 0, as many passes over all discs instead, each disc once a pass. ramp: share of the
    training over which augmentation grows to the paper's; 0 has it whole from the start. varies_slices: contrast,
    sharpness and noise are changed, slices are blanked or repeated at random. turns_over: each disc is also shown with
    head and feet exchanged, its upper grades being the lower ones then. mixed_precision: bfloat16 where the processor
    has it. validate_every: steps; 0 is once a pass. checkpoint_every: steps; 0 is every tenth validation. patience:
    validations without gain before the rate falls. guidance: above 0, weight of a second loss, by
    which the evidence for `guided` lesions of phantoms in every batch, whose slices are not varied, comes to lie inside
    them.
    """

    network: NetworkConfig = field(default_factory=lambda: NetworkConfig(fc6=48, fc7=48, batch_norm=True))
    descent: Descent = Descent.ADAMW_ONE_CYCLE
    steps: int = 2500
    phantoms: float = 0.8
    epochs: int = 0
    batch: int = 128
    rate: float = 2e-3
    weight_decay: float = 0.02
    ramp: float = 0.5
    varies_slices: bool = True
    turns_over: bool = True
    mixed_precision: bool = True
    patience: int = 10
    guidance: float = 0.0
    guided: int = 8
    seed: int = 0
    validate_every: int = 100
    checkpoint_every: int = 100

    def steps_per_epoch(self, discs: int) -> int:
        """Batches in a pass over so many discs; what fills no whole batch waits for the next pass."""
        return max(1, discs // self.batch)

    def all_steps(self, discs: int) -> int:
        """Length of the whole training on so many discs."""
        return self.epochs * self.steps_per_epoch(discs) if self.epochs else self.steps

    def augmentation(self, done: float) -> float:
        """Share of the paper's augmentation once a share `done` of the training is over."""
        return min(1.0, 0.2 + 0.8 * done / self.ramp) if self.ramp else 1.0

    def facts(self) -> dict[str, str]:
        """By name, all that two trainings must share for one to go on from the other's checkpoint."""
        facts = asdict(self)
        facts["network"].pop("temperatures")  # they are fitted afterwards
        return {name: str(value) for name, value in facts.items() if name != "checkpoint_every"}


class Preset(Enum):
    """Recipes by name; its value is its name on the command line."""

    PAPER = "paper"
    QUICK = "quick"

    @property
    def rounds(self) -> tuple[GraderRecipe, ...]:
        """Trainings one after the other, each going on from the weights of the one before."""
        return _ROUNDS[self]

    @property
    def description(self) -> str:
        """What to expect of it."""
        return _DESCRIPTIONS[self]


PAPER_RECIPE = GraderRecipe(
    network=NetworkConfig(fc6=4096, fc7=1024, dropout=0.5),
    descent=Descent.SGD_ON_PLATEAU,
    epochs=1000,
    batch=256,
    rate=1e-3,
    weight_decay=5e-4,
    ramp=0.0,
    varies_slices=False,
    turns_over=False,
    mixed_precision=False,
    validate_every=0,
    checkpoint_every=0,
)
"""Section 4, Training. ours: the widths, see `NetworkConfig`, and the patience."""

FURTHER_RECIPE = GraderRecipe(steps=1000, phantoms=0.5, batch=64, rate=3e-4, ramp=0.01, guidance=0.3, seed=3)
"""ours: gently, for a grader that has learned already: a finished one, its batch normalisation folded away, or that of
the quick preset's first training.
"""

_ROUNDS = {
    Preset.PAPER: (PAPER_RECIPE,),
    Preset.QUICK: (GraderRecipe(), replace(FURTHER_RECIPE, seed=1)),
}
_DESCRIPTIONS = {
    Preset.PAPER: "as published: all of VGG-M with FC layers of 4096 and 1024, softmax log-loss summed over tasks with "
    "class weights 1/frequency, SGD with momentum 0.9, weight decay 5e-4, batches of 256, rate 1e-3 divided by 10 on "
    "plateaus of the validation loss, Xavier initialisation, dropout 0.5, slice means subtracted, the paper's "
    "augmentation from the start, 1000 passes over the discs; for a GPU, needs patients for validation",
    Preset.QUICK: "ours, faster: FC layers of 48, AdamW on a one-cycle rate, batch normalisation, "
    "augmentation that grows, contrast, sharpness and noise varied, slices blanked and repeated at random, discs also "
    "turned over and with lesions drawn into them, bfloat16 where the processor has it: 2500 batches of 128, of which "
    "eight tenths are phantoms, and 1000 of 64, of which half are, while evidence is drawn into lesions",
}
