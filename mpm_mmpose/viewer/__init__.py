"""A scene as one HTML file that shows it in 3D; see docs/page.md."""

from .document import write_page

__all__ = ["write_page"]
