"""Graded discs to learn from, wherever their labels come from: SPIDER in both its layouts, and one's own tables."""
