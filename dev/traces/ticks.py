"""The time scale: round places for its ticks."""

from typing import Final

STEPS: Final = (1, 2, 2.5, 5, 10)


def ticks_us(scale_us: int, most: int) -> list[int]:
    """Return at most ``most`` round places from 0 on, evenly spaced, all within the scale."""
    raw = max(scale_us / max(most, 1), 1)
    power = 10 ** (len(str(int(raw))) - 1)
    step = max(1, int(next(power * one for one in STEPS if power * one >= raw)))
    return list(range(0, scale_us + 1, step))[: most + 1]
