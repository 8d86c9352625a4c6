"""The commands of the command line, one module each: `add_to` declares it, and `run` does it."""
