"""The languages of the compiler and the records that describe its hardware."""
