"""How well discs are found and named: cases with their truth, what is done to them, and what is counted."""
