"""The machines that vtac compiles for: what belongs to one lives in its folder."""
