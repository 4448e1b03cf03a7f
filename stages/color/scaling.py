"""What networks see and make of Lab: the one place where it is scaled, for NumPy arrays and torch tensors alike."""

# a and b reach from -108 to 98 inside the sRGB gamut: divided by 110 they fill [-1, 1].
AB_SCALE = 110.0


def lightness_input(lab):
    """(N, 3, H, W) Lab -> (N, 1, H, W), L scaled from 0..100 to [-1, 1]."""
    return lab[:, :1] / 50 - 1


def ab_target(lab):
    """(N, 3, H, W) Lab -> (N, 2, H, W), a and b scaled to [-1, 1]."""
    return lab[:, 1:] / AB_SCALE


def ab_of_output(output):
    """(N, 2, H, W) as a colouring network makes it -> a and b in their own units."""
    return output * AB_SCALE
