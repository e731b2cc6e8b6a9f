"""What attributes of a payload function's arguments say about its buffers."""

RESULT = "schedule.result"
"""The buffer stands for a tensor that the function returns."""

CONSTANT = "schedule.constant"
"""The contents of a buffer that no caller passes."""
