"""The files that the tests of the language server open."""

NET = """\
edition 1
import "std/mobile.dg" as mobile

# How wide it is.
param width: float = 1.0 in [0.5, 1.0]
param tau: float = 0.1 in 0.0..0.5

# Weighs the edges.
# Closes weak ones.
router gate(tau) = gap |> fc |> sigmoid |> threshold(tau)
block ir(expand = 6) = mobile.inverted_residual(expand = expand, kernel = 3)

net Small(classes: int = 10) {
  input image: f32[3, 32, 32]
  node stem: conv(16 * width, kernel = 3) |> bn |> relu6
  half = 12

  stage s1 {
    channels = 2 * half
    stride = 2
    node n[2]: ir
    node d: dwconv(5)
    in -> n, d via gate(tau)
    n, d -> out
  }

  node logits: gap |> fc(classes)
  image -> stem -> s1 -> logits
  output logits
  output taps { p3 = s1 }
}
"""

BLOCKS = """\
# Twice a convolution.
block twice(kernel = 3) = conv(kernel = kernel) |> conv(kernel = kernel)
"""

USER = """\
import "blocks.dg" as b

net Main {
  input image: f32[3, 8, 8]
  node a: b.twice(kernel = 5)
  image -> a
  output a
}
"""
