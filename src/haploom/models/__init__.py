"""The networks: equations in torch, their configs, their losses, and their way into a model file.

torch starts here. Nothing in this room trains, reads genotypes or draws.
"""
