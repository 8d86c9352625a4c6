"""`python -m SpineNetCore`: the command line, which can be stopped at any time, also while PyTorch is loading."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

STOPPED = 130


def run() -> int:
    """Returns 0, 2 when the request or the input is at fault, 130 when stopped, or 1 when we are."""
    _end_as_by_ctrl_c()
    if sys.stderr is None:  # it was closed
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  for the whole run
    try:
        from SpineNetCore.command_line import main

        status = main()
        if sys.stdout is not None:  # it is None where it was closed
            sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("error: stopped before the end: run it again for a result.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # whoever read what is printed has gone, as `head` does
        from SpineNetCore.commands.terminal import print_to_nobody

        print_to_nobody()
        return STOPPED


def _end_as_by_ctrl_c() -> None:
    """Clean up, too, when asked to end or when the terminal is closed, so that no half-written result stays."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    if hangup is not None and signal.getsignal(hangup) is signal.SIG_DFL:  # else `nohup` has it ignored
        signal.signal(hangup, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(run())
