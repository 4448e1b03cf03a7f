"""How fast each stage is beside the straightforward way and beside what the machine could do. `make bench`"""
