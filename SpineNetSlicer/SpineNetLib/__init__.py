"""What SpineNet's module does in 3D Slicer: the panel, and beneath it functions that take the scene, without Qt."""
