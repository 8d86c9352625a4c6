"""Whether a scan looks T2-weighted, as all that is learned supposes: fluid is bright there, and dark on T1."""

from __future__ import annotations

from SpineNetCore.detection import Reading

_DARK_CANAL = 0.7
"""Brightness of the canal, in that of the bodies, below which a scan looks T1-weighted. ours: 0.81 and more on 201
SPIDER T2 scans, 0.41 to 0.59 on phantoms painted as T1.
"""


def contrast_doubts(reading: Reading) -> tuple[str, ...]:
    """A sentence where the contrast is not that of T2."""
    brightness = reading.canal_brightness
    if brightness is None or brightness >= _DARK_CANAL:
        return ()
    return (
        f"The spinal canal is darker than the vertebral bodies ({brightness:.2f} of their brightness), as on a "
        "T1-weighted scan: grades and evidence hold for T2-weighted scans only.",
    )
