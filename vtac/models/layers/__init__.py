"""The layers of models, a file for each family; each record checks its parameters and infers its shape."""
