//! The doors, the forwarder, the control API
