"""Int8 networks as linalg text, with seeded parameters and a numpy reference of every layer."""
