"""Pictures of runs: timelines and traces."""
