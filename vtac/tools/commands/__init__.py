"""The subcommands of `vtac`; each module has a `main` that takes the arguments and returns the exit status."""
