"""Where the encoders of several pretraining seeds lie, and what they make."""


def place(number: int) -> str:
    """The folder of a pretraining seed within its encoder's: none for the first, so that it lies at the top.

    >>> place(0), place(2)
    ('', 'seed_2')
    """
    return f"seed_{number}" if number else ""
