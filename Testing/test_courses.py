from __future__ import annotations

from SpineNetCore.learning.courses import course_further, course_of
from SpineNetCore.learning.grader_recipe import Preset
from SpineNetCore.network import BranchPoint


def test_a_preset_is_trained_under_its_own_name():
    for preset in Preset:
        course = course_of(preset)
        assert course.name == f"grader-{preset.value}"
        assert course.rounds == preset.rounds


def test_no_training_of_a_grader_or_of_one_trained_further_draws_what_another_drew():
    quick = course_of(Preset.QUICK).rounds
    rounds = (*quick, *course_further(quick[0].network).rounds)
    assert len({recipe.seed for recipe in rounds}) == len(rounds)


def test_a_shortened_course_has_so_many_steps_whatever_it_counted_in():
    for preset in Preset:
        course = course_of(preset).shortened(7)
        assert [recipe.all_steps(discs=1000) for recipe in course.rounds] == [7] * len(preset.rounds)


def test_another_branch_point_changes_the_network_and_the_name_alone():
    course = course_of(Preset.QUICK).branching_after(BranchPoint.FC6)
    recipe, plain = course.rounds[0], Preset.QUICK.rounds[0]
    assert recipe.network.branch_point is BranchPoint.FC6
    assert course.name == "grader-quick-fc6"
    changed = {name for name in plain.facts() if plain.facts()[name] != recipe.facts()[name]}
    assert changed == {"network"}


def test_the_second_model_has_other_random_numbers_and_checkpoints_of_its_own():
    course = course_of(Preset.PAPER).for_swapped_patients()
    assert course.name != course_of(Preset.PAPER).name
    assert [r.seed for r in course.rounds] != [r.seed for r in Preset.PAPER.rounds]
