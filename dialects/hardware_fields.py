"""Fields of a hardware record as files have them: read, and held against their types."""

from __future__ import annotations

import json
from pathlib import Path
from reprlib import repr as short_repr

from vtac.errors import ConfigError
from vtac.files.reading import RECORD_BYTES, read_regular


def read_record(source: Path) -> str:
    """The text of a file with a hardware record. Raises `ConfigError`."""
    try:
        return read_regular(source, RECORD_BYTES).decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {source}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{source} is not a vta_config.json: it is not UTF-8 text") from None
    except ValueError as error:
        raise ConfigError(f"cannot read the configuration {str(source)!r}: {error}; give the path of a file") from None


def parse_record(text: str, source: Path) -> object:
    """What the JSON text of a record holds. Raises `ConfigError` for text that is none, or says a field twice."""

    def without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
        values: dict[str, object] = {}
        for name, value in pairs:
            if name in values:
                raise ConfigError(f"{source}: {name} is given more than once; keep one of its values")
            values[name] = value
        return values

    try:
        return json.loads(text, object_pairs_hook=without_duplicates)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise ConfigError(
            f"{source}: the JSON is nested too deeply; a vta_config.json is one object of numbers and strings"
        ) from None
    except ConfigError:
        raise
    except ValueError:
        raise ConfigError(
            f"{source}: a number has too many digits to be read; a log2 between 0 and 32 is required"
        ) from None


def field_value(label: str, name: str, value: object) -> int | str:
    """The value of a field, refused when it is of another type than the field's."""
    textual = name in ("target", "hw_ver", "encoding")
    if isinstance(value, bool) or not isinstance(value, str if textual else int):
        raise ConfigError(f"{label} is {shown_value(value)}; expected {'a string' if textual else 'an integer'}")
    return value


def shown_size(nbytes: int) -> str:
    """Bytes as messages give them."""
    return f"{nbytes >> 10} KiB" if nbytes >= 1 << 10 else f"{nbytes} bytes"


def shown_value(value: object) -> str:
    """A value as messages give it, however long or deep it is."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return short_repr(value)


def require_sum(what: str, limit: int, parts: dict[str, int]) -> None:
    """Raises `ConfigError` where parts add up to more than a limit."""
    total = sum(parts.values())
    if total > limit:
        spelled = " + ".join(f"{name} {bits}" for name, bits in parts.items())
        raise ConfigError(
            f"{what} needs {spelled} = {total} bits; {limit} are available: "
            "make a buffer smaller, or its tiles (BATCH, BLOCK) larger"
        )
