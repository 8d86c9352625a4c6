"""SpineNet's core: a sagittal lumbar MRI in, named discs with grades and evidence hotspots out.

After Jamaludin, Kadir, Zisserman, "SpineNet: Automatically Pinpointing Classification Evidence in Spinal MRIs",
MICCAI 2016. Research use only, not a medical device.
"""

__version__ = "0.1.0"

RESEARCH_USE_NOTICE = "Research use only, not a medical device."
