import threading
import time

import numpy as np
import pytest

from mpm_mmpose.apis.images import ArrayImages, Images
from mpm_mmpose.apis.read_ahead import WAITING, read_ahead


class Counted(Images):
    def __init__(self, number, error=None, live=False):
        super().__init__("counted", 10.0, 4, 4, number)
        self.read, self.error, self.live, self.closed = 0, error, live, False

    def __iter__(self):
        try:
            for index in range(self.total):
                self.read += 1
                yield index / 10, np.full((4, 4, 3), index, np.uint8)
            if self.error:
                raise self.error
            self.problem = "ended early"
        finally:
            self.closed = True


def test_everything_in_order():
    images = ArrayImages(np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((4, 4, 3), np.uint8), 10.0)
    found = list(read_ahead(images))
    assert [time for time, _ in found] == [index / 10 for index in range(20)]
    assert [int(image[0, 0, 0]) for _, image in found] == list(range(20))


def test_only_a_few_wait():
    images, threads = Counted(100), threading.active_count()
    following = read_ahead(images)
    next(following)
    for _ in range(200):
        time.sleep(0.005)
        if images.read == WAITING + 2:
            break
    time.sleep(0.05)
    assert images.read == WAITING + 2  # one was taken, one is in the reader's hand
    following.close()
    assert images.closed and threading.active_count() == threads


def test_an_error_comes_after_what_was_read():
    following = read_ahead(Counted(3, OSError("the disk is gone")))
    for _ in range(3):
        next(following)
    with pytest.raises(OSError, match="the disk is gone"):
        next(following)


def test_the_problem_is_known_at_the_end():
    images = Counted(3)
    assert len(list(read_ahead(images))) == 3 and images.problem == "ended early" and images.closed


def test_a_camera_is_not_read_ahead():
    images = Counted(9, live=True)
    next(read_ahead(images))
    assert images.read == 1
