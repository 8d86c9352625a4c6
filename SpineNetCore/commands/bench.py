"""`bench`: where the time goes on this machine, against what the machine can do."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from SpineNetCore.commands.analyse import add_model_options
from SpineNetCore.commands.options import Commands, whole_number
from SpineNetCore.errors import InputError
from SpineNetCore.learning.grader_recipe import Preset
from SpineNetCore.models import BUNDLED_MODELS, chosen_device, load_models
from SpineNetCore.network import GradingNetwork
from SpineNetCore.pipeline import AnalysisSettings, analyse
from SpineNetCore.progress import Stages
from SpineNetCore.report import write_report
from SpineNetCore.scores import ready_network

_PHANTOMS = 4
_MATRIX = 2048

BUNDLED_SAMPLES = BUNDLED_MODELS.parent / "Samples"


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "bench",
        help="measure the speed of an analysis or of training here",
        description="Analyse a scan (default: the bundled sample) and print seconds per stage, peak memory, and the "
        "grader's speed against the machine's own matrix-product rate. With --training, train a grader on phantoms for "
        "a moment and print what loading and augmentation add to its steps.",
    )
    parser.add_argument("scan", type=Path, nargs="?", metavar="SCAN", help="default: the bundled sample")
    add_model_options(parser)
    parser.add_argument("--training", action="store_true", help="measure a training's steps instead of an analysis")
    parser.add_argument("--preset", choices=[preset.value for preset in Preset], default=Preset.QUICK.value)
    parser.add_argument(
        "--steps", type=whole_number(1, 100), default=10, metavar="N", help="training steps to time (default 10)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    (_time_training if options.training else _time_analysis)(options)


def _time_analysis(options: argparse.Namespace) -> None:
    models = load_models(options.models)
    device = chosen_device(options.device)
    settings = AnalysisSettings(options.views, options.hotspot_views, device)
    stages = Stages()
    report = analyse(options.scan or _bundled_sample(), models, settings, stages)
    with tempfile.TemporaryDirectory() as folder, stages.stage("write"):
        write_report(report, Path(folder) / "result")
    for name, seconds in stages.seconds.items():
        print(f"{name:<24}{seconds:8.2f} s")
    print(f"{'total':<24}{sum(stages.seconds.values()):8.2f} s")
    print(f"{'peak memory':<24}{_peak_memory_gb():8.2f} GB")
    images = options.views * sum(disc.status == "scored" for disc in report.discs)
    rate = images / stages.seconds["score"]
    work = _flop_per_image(models.grader)
    print(f"{'images scored':<24}{rate:8.0f} /s = {rate * work / 1e9:.0f} GFLOP/s")
    dtype = ready_network(models.grader, device).convolution_dtype
    print(f"{'matrix product':<24}{_matrix_rate(device, dtype) / 1e9:8.0f} GFLOP/s ({dtype})".replace("torch.", ""))


def _time_training(options: argparse.Namespace) -> None:
    from SpineNetCore.learning.disc_batches import DiscPool
    from SpineNetCore.learning.disc_examples import phantom_examples
    from SpineNetCore.learning.phantom import simulate
    from SpineNetCore.learning.processes import joined
    from SpineNetCore.learning.throughput import measure_throughput

    if options.scan:
        raise InputError(f"--training times steps on phantoms, not on '{options.scan}': leave out one of the two.")
    recipe = Preset(options.preset).rounds[0]
    phantoms = (simulate(np.random.default_rng(seed)) for seed in range(_PHANTOMS))
    discs = [disc for number, phantom in enumerate(phantoms) for disc in phantom_examples(phantom, str(number))]
    with joined(options.device, workers=2) as process:
        found = measure_throughput([DiscPool(discs, is_simulated=True)], recipe, process, options.steps)
    print(f"{'forward, backward':<24}{1 / found.alone_s:8.2f} steps/s of {recipe.batch} discs")
    print(f"{'with data':<24}{1 / found.fed_s:8.2f} steps/s, loaded and augmented")
    print(f"{'overhead':<24}{100 * found.overhead:8.1f} %")


def _bundled_sample() -> Path:
    samples = sorted(BUNDLED_SAMPLES.glob("*.nii.gz"))
    if not samples:
        raise InputError(f"No bundled sample was found in {str(BUNDLED_SAMPLES)!r}: name a scan.")
    return samples[0]


def _peak_memory_gb() -> float:
    """Peak resident memory of this process; not a number on Windows, which does not tell."""
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def _flop_per_image(network: GradingNetwork) -> float:
    """Floating-point operations of one forward pass, counted by PyTorch."""
    from torch.utils.flop_counter import FlopCounterMode

    config = network.config
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network.cpu()(torch.zeros(1, config.slices, config.rows, config.columns))
    return float(counter.get_total_flops())


def _matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of a square matrix product, repeated for about a second after a warm-up."""
    a, b = (torch.randn(_MATRIX, _MATRIX, device=device).to(dtype) for _ in range(2))
    float((a @ b).sum())
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < 1:
        product = a @ b
        count += 1
        float(product[0, 0])  # waits for a GPU
    return 2 * _MATRIX**3 * count / (time.perf_counter() - began)
