"""Images are read while others are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread

import numpy as np

from .images import Images

#: Images that wait, at most: 100 MB at 4K.
WAITING = 4
_END = object()


def read_ahead(images: Images) -> Iterator[tuple[float, np.ndarray]]:
    """What iterating ``images`` gives, in the same order, read by a thread of its own that is a few images ahead.

    What reading raises is raised here, in its place. Cameras are read as they are: their images are of the moment at
    which they are asked for.
    """
    if images.live:
        yield from images
        return
    waiting: Queue = Queue(WAITING)
    stopped = Event()
    thread = Thread(target=_read, args=(images, waiting, stopped), daemon=True)
    thread.start()
    try:
        while (one := waiting.get()) is not _END:
            if isinstance(one, BaseException):
                raise one
            yield one
    finally:
        stopped.set()
        while thread.is_alive():  # it may wait for room
            try:
                waiting.get(timeout=0.01)
            except Empty:
                continue
        thread.join()


def _read(images: Images, waiting: Queue, stopped: Event) -> None:
    def put(one: object) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(one, timeout=0.1)
                return True
            except Full:
                continue
        return False

    following = iter(images)
    try:
        for one in following:
            if not put(one):
                return
        put(_END)
    except BaseException as error:  # raised again in the other thread, which takes the images
        put(error)
    finally:
        if hasattr(following, "close"):
            following.close()  # the video's file
