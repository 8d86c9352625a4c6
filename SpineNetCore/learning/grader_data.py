"""What a grader learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from SpineNetCore.learning.disc_batches import DiscPool, count_discs
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.grader_recipe import GraderRecipe
from SpineNetCore.learning.lesions import Lesion


@dataclass(frozen=True)
class GraderData:
    """What a grader learns from, and the discs of other patients that tell how far it is.

    lesions: of phantoms, to guide its evidence where a recipe asks for it.
    """

    pools: Sequence[DiscPool]
    validation: Sequence[DiscExample] = ()
    lesions: Sequence[Lesion] = ()

    @property
    def discs(self) -> int:
        """How many it learns from."""
        return count_discs(self.pools)

    def both_ways(self) -> GraderData:
        """The same with every disc to learn from also turned over."""
        return replace(self, pools=[pool.both_ways() for pool in self.pools])

    def guides(self, recipe: GraderRecipe) -> bool:
        """Whether a recipe's evidence is drawn into these lesions."""
        return recipe.guidance > 0 and bool(self.lesions)
