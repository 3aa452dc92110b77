"""The images of the real node: made here, under the names that pods ask for, without a registry."""

from .maker import PAUSE, Images, build

__all__ = ["PAUSE", "Images", "build"]
