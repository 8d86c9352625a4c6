"""How well hotspots show what led to a grade: on phantoms that know their lesions, beside other ways to make maps."""
