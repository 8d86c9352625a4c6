"""Files that come with SpineNet, in a checkout and once installed."""

from __future__ import annotations

from pathlib import Path

import SpineNetCore

RESOURCES = Path(SpineNetCore.__file__).resolve().parents[1] / "Resources"
SAMPLE = RESOURCES / "Samples" / "spider_110_t2_space.nii.gz"
SAMPLE_NAME = SAMPLE.name.removesuffix(".nii.gz")
SAMPLE_CHECKSUM = "SHA256:5d863c689f7671c52b7d5e951ea7ae2be52880b5a928fbfbe05295f58ee70b4b"
ICON = RESOURCES / "Icons" / "SpineNet.png"
PANEL = RESOURCES / "UI" / "SpineNet.ui"
