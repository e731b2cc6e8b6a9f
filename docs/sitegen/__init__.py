"""Builds the documentation site: pages of docs/, references made from the code, tutorials that are run."""
