"""IR -> drawings: SVG, Graphviz DOT, Mermaid."""
