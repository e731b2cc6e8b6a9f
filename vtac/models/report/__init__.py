"""What a quantised model is worth: layer by layer, and in all."""
