"""Dropout masks by a counter-based hash: cheap inside the loop, the same wherever it runs.

Source: the finaliser of MurmurHash3 by Austin Appleby, public domain.
"""

import jax
import jax.numpy as jnp

GOLDEN = 0x9E3779B1
LAYER = 0x85EBCA6B


def keep_mask(
    shape: tuple[int, int], rate: float, seeds: jax.Array, step: jax.Array, layer: int
) -> jax.Array:
    """Return float32 `shape`: 0 with probability `rate` (in 256ths), else the scale that keeps the mean."""
    threshold = round(256 * rate)
    position = jnp.arange(shape[0] * shape[1], dtype=jnp.uint32).reshape(shape)
    counter = step.astype(jnp.uint32)
    constant = jnp.uint32((LAYER * (layer + 1)) & 0xFFFFFFFF)
    first = _mix(seeds[0] + counter * jnp.uint32(GOLDEN) + constant)
    second = seeds[1] ^ counter
    hashed = _mix(_mix(position + first) ^ second)
    kept = (hashed & jnp.uint32(0xFF)) >= threshold
    return jnp.asarray(kept * jnp.float32(256 / (256 - threshold)))


def _mix(value: jax.Array) -> jax.Array:
    value = (value ^ (value >> 16)) * jnp.uint32(0x85EBCA6B)
    value = (value ^ (value >> 13)) * jnp.uint32(0xC2B2AE35)
    return value ^ (value >> 16)
