"""Phantoms, data sets, training and evaluation: the storey above the pipeline."""
