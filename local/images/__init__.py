"""The images of the real node: made here, under the names that pods ask for, without a registry."""

from .maker import PAUSE, STANDS_IN, Images, build
from .statement import statement

__all__ = ["PAUSE", "STANDS_IN", "Images", "build", "statement"]
