//! Connects to a core's control socket.
