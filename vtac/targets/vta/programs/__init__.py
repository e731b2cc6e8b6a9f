"""Programs for the VTA: one stream or a host function around several, in memory and as saved directories."""
