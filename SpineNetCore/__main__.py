"""`python -m SpineNetCore`: the command line, which can be stopped at any time, also while PyTorch is loading."""

from __future__ import annotations

import signal
import sys

STOPPED = 130


def run() -> int:
    """Returns 0, 2 when the request or the input is at fault, 130 when stopped, or 1 when we are."""
    # asked to end, clean up as after Ctrl-C, so that no half-written result stays
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from SpineNetCore.command_line import main

        return main()
    except KeyboardInterrupt:
        print("error: stopped before the end: run it again for a result.", file=sys.stderr)
        return STOPPED


if __name__ == "__main__":
    sys.exit(run())
