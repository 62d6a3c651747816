"""A trained network -> files that run without this package: an AOTInductor package, ONNX."""
