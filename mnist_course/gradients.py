"""The slopes of a function at all of its numbers at once, computed by whichever library Keras runs on."""

import keras


def compute(function, at):
    """Return the gradient of `function` at the numbers `at`, a float array, as a float array of the same shape.

    `function` takes them as a tensor of the library that Keras runs on (TensorFlow, JAX or PyTorch) and returns one
    number, computed with Keras. Held against nudged weights in notebook 02, used for pixels in 07.
    """
    at, backend = keras.ops.convert_to_tensor(at), keras.backend.backend()
    if backend == "jax":
        import jax

        slopes = jax.grad(function)(at)
    elif backend == "torch":
        import torch

        (slopes,) = torch.autograd.grad(function(at.requires_grad_()), at)
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(at)
            value = function(at)
        slopes = tape.gradient(value, at)
    return keras.ops.convert_to_numpy(slopes)
