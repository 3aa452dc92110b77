"""The images of the real node: built here, under the names that pods use, without a registry."""

from .maker import PAUSE, STANDS_IN, Images, build
from .statement import statement

__all__ = ["PAUSE", "STANDS_IN", "Images", "build", "statement"]
