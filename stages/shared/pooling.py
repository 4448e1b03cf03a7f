"""How far maps are averaged before a linear probe sees them: by a whole factor, down to a common size.

Zhang et al. compare layers at about 9,000 features each (Split-Brain Autoencoders, arXiv 1611.09842, section 4.1),
so that a layer does not win by its size.
"""


def whole_factor(channels: int, side: int, limit: int) -> int:
    """The smallest divisor of `side` by which channels x side x side values come down to at most `limit`.

    Where no divisor gets there (more channels than `limit`), `side`: one position is left.

    >>> whole_factor(32, 64, 9000), whole_factor(4, 16, 9000), whole_factor(3, 128, 9000)
    (4, 1, 4)
    """
    divisors = (factor for factor in range(1, side) if side % factor == 0)
    return next((factor for factor in divisors if channels * (side // factor) ** 2 <= limit), side)
