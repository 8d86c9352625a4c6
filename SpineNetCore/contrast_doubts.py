"""Whether a scan looks plainly T2-weighted, as all that is learned supposes: fluid is bright there, marrow grey."""

from __future__ import annotations

from SpineNetCore.detection import Reading

_DARK_CANAL = 0.7
"""Brightness of the canal, in that of the bodies, below which a scan looks T1-weighted. ours: 0.81 and more on 201
SPIDER T2 scans, 0.41 to 0.59 on phantoms painted as T1.
"""

_DARK_MARROW = 6.0
"""The same brightness above which fat looks suppressed. ours: 4.2 and less on the same scans."""


def contrast_doubts(reading: Reading) -> tuple[str, ...]:
    """A sentence where the contrast is not that of plain T2."""
    brightness = reading.canal_brightness
    if brightness is None:
        return ()
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
