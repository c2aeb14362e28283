"""Luck that is none: the worst that a power cut may leave."""

import random


class Least(random.Random):
    """Luck by which a power cut leaves no more than is safe."""

    def random(self) -> float:
        return 0.0

    def randint(self, a: int, b: int) -> int:
        return a


class Strict(Least):
    """As `Least`, on a file system without a journal."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def random(self) -> float:
        self.asked += 1
        return 0.9 if self.asked == 1 else 0.0

    def choice(self, seq):
        return seq[0]
