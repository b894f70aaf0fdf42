//! What a broker must know of MCP's wire: peek, classes, headers, SSE
