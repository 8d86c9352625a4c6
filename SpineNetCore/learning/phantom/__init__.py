"""A simulator of lumbar T2 sagittal MRI that knows its own truth."""

from SpineNetCore.learning.phantom.asked_prevalence import asked_prevalence
from SpineNetCore.learning.phantom.canvas import PhantomLabel
from SpineNetCore.learning.phantom.files import write_phantom
from SpineNetCore.learning.phantom.second_reader import read_again
from SpineNetCore.learning.phantom.settings import PhantomSettings, Prevalence
from SpineNetCore.learning.phantom.simulation import simulate
from SpineNetCore.learning.phantom.truth import DiscTruth, Phantom

__all__ = [
    "DiscTruth",
    "Phantom",
    "PhantomLabel",
    "PhantomSettings",
    "Prevalence",
    "asked_prevalence",
    "read_again",
    "simulate",
    "write_phantom",
]
