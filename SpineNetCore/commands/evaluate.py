"""`evaluate`: the figures of the README, measured on patients and phantoms that no training has seen."""

from __future__ import annotations

from SpineNetCore.commands import (
    evaluate_agreement,
    evaluate_branch_points,
    evaluate_grading,
    evaluate_hotspots,
    evaluate_localisation,
    evaluate_repeatability,
)
from SpineNetCore.commands.options import Commands


def add_to(commands: Commands) -> None:
    """Declare the command and what it can measure."""
    parser = commands.add_parser(
        "evaluate",
        help="measure the models on patients and phantoms kept out of training",
        description="Measure the models on patients and phantoms that no training has seen, or how well two tables of "
        "grades agree.",
    )
    measures = parser.add_subparsers(title="what to measure", required=True, metavar="WHAT")
    for measure in (
        evaluate_localisation,
        evaluate_grading,
        evaluate_agreement,
        evaluate_repeatability,
        evaluate_branch_points,
        evaluate_hotspots,
    ):
        measure.add_to(measures)
