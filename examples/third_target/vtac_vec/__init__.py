"""A made-up vector machine as a target of vtac."""
