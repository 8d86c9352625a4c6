"""Whether a scan looks as all that is learned supposes: plain T2, through the middle of the spine, and clear."""

from __future__ import annotations

from SpineNetCore.detection import Reading

_DARK_CANAL = 0.7
"""Brightness of the canal, in that of the bodies, below which a scan looks T1-weighted. ours: 0.81 and more on 201
SPIDER T2 scans, 0.41 to 0.59 on phantoms painted as T1.
"""

_DARK_MARROW = 6.0
"""The same brightness above which fat looks suppressed. ours: 4.2 and less on the same scans."""

_HARDLY_ANY_CANAL = 0.12
"""Share of the canal beside which a scan looks parasagittal. ours: 0.17 and more on 171 of SPIDER's 172 mid-sagittal
pictures, less on one beside the canal for most of its length; 0.3 and more on its 30 slabs. Of slices more than 18 mm
to one side of 13 phantoms' middle a quarter have less: foramina's fat looks alike.
"""

_GRAINY = 0.1
"""Noise from which grades begin to change. ours: 0.088 and less on 202 SPIDER T2 scans, 0.107 and 0.122 on two of them
whose bodies' signal is made twice the noise of a pixel of 0.5 mm.
"""


def picture_doubts(reading: Reading) -> tuple[str, ...]:
    """A sentence where no slice shows the canal or the contrast is not that of plain T2, one where noise is strong."""
    return (*_contrast_doubts(reading), *_noise_doubts(reading))


def _contrast_doubts(reading: Reading) -> tuple[str, ...]:
    brightness = reading.canal_brightness
    if reading.canal_share < _HARDLY_ANY_CANAL or brightness is None:
        return (
            "The spinal canal is hardly seen on any slice, as where a scan lies beside the middle of the spine: levels "
            "are easily misnamed there, and grades hold for the middle only.",
        )
    if brightness < _DARK_CANAL:
        return (
            f"The spinal canal is darker than the vertebral bodies ({brightness:.2f} of their brightness), as on a "
            "T1-weighted scan: grades and evidence hold for T2-weighted scans only.",
        )
    if brightness > _DARK_MARROW:
        return (
            f"The vertebral bodies are dark (the spinal canal has {brightness:.1f} times their brightness), as where "
            "fat is suppressed: grades and evidence hold for T2 without that.",
        )
    return ()


def _noise_doubts(reading: Reading) -> tuple[str, ...]:
    if reading.noise is None or reading.noise < _GRAINY:
        return ()
    return (
        f"The scan is noisy (by {reading.noise:.2f} of the vertebral bodies' brightness at 1 mm): grades may be off by "
        "one, and small defects be missed.",
    )
