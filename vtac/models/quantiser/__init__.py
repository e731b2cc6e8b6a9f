"""Float graphs as integer networks: scales from calibration, weights and biases as integers, linalg and simulation."""
