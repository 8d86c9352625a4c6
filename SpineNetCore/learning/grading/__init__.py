"""How well discs are graded: whose they are, what is asked of them, and every figure of the answers."""
