//! Adapters for the core's ports: keychain, browser, HTTP, clock
