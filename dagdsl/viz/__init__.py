"""IR -> pictures: svg, dot, mermaid."""
