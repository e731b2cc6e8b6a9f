"""Data in the page: JSON, deflated, as base64; the page's scripts inflate it when it is shown."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode

from markupsafe import Markup


def packed(anchor: str, data: object) -> Markup:
    """A data block of the page that scripts find by its anchor."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    letters = b64encode(zlib.compress(text.encode(), 9)).decode()
    return Markup('<script type="text/plain" id="{}">{}</script>').format(anchor, letters)
